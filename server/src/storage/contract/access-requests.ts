/**
 * The part of the storage contract about people who ask for access to a server that is for those on its list.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccessDecision, AccessRequest, Store } from '../store.ts';
import { count, countEvents, DAY, files, freshTenant, happened, NOW, type Nodes, settle, times } from './fixtures.ts';

export const asked: AccessRequest = {
  id: 'ask_1',
  serverId: 'srv_files',
  userId: 'usr_alice',
  message: 'for the report',
  createdAt: NOW,
  expiresAt: NOW + 14 * DAY,
};
const alice = { serverId: 'srv_files', userId: 'usr_alice' };
const ask = (store: Store, changes: Partial<AccessRequest> = {}) => store.askForAccess({ ...asked, ...changes }, happened('access.requested'));
const answer = (store: Store, decision: AccessDecision, at = NOW + 1) =>
  store.decideAccess({ id: 'ask_1', decision, keptUntil: at + 30 * DAY }, happened(decision === 'approved' ? 'access.approved' : 'access.denied', at));

async function keptToAList(store: Store): Promise<void> {
  await settle(store);
  await store.updateServer({ ...files, people: 'listed' }, happened('server.updated'));
}

export function accessRequestsContract(nodes: () => Nodes): void {
  describe('questions for access', () => {
    test('[AZ-37] a person has one open question for a server, however often they ask at once, and it is listed with who they are', async () => {
      const [one, two] = freshTenant(nodes());
      await keptToAList(one);

      const outcomes = await times(8, (index) => ask(index % 2 ? one : two, { id: `ask_${index}`, createdAt: NOW }));

      assert.equal(count(outcomes, true), 1);
      assert.equal(await countEvents(one, 'access.requested'), 1);
      const [listed = assert.fail(), ...more] = await two.listAccessRequests({ limit: 10 }, NOW);
      const { id: _, ...known } = listed;
      const { id: __, ...question } = asked;
      assert.deepEqual([known, more], [{ ...question, username: 'Alice', name: 'Alice A.', email: 'Alice@Example.com', serverName: 'Files' }, []]);
      assert.equal((await one.findAccessRequest(alice, NOW))?.message, 'for the report');
      assert.deepEqual(await one.listAccessRequests({ serverId: 'srv_notes', limit: 10 }, NOW), []);
    });

    test('[AZ-37] nobody asks about a server without a list that counts, one they are on, or one that is not there', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      assert.equal(await ask(store), false);
      await store.updateServer({ ...files, people: 'listed' }, happened('server.updated'));
      assert.equal(await ask(store, { serverId: 'srv_none' }), false);
      assert.equal(await ask(store, { userId: 'usr_none' }), false);
      await store.addServerPerson(alice, happened('server.person_added'));
      assert.equal(await ask(store), false);
      assert.equal(await countEvents(store, 'access.requested'), 0);
    });

    test('[AZ-37] of several answers at once one counts, and only yes puts the person on the list', async () => {
      const [one, two] = freshTenant(nodes());
      await keptToAList(one);
      await ask(one);

      const outcomes = await times(8, (index) => answer(index % 2 ? one : two, 'denied'));

      assert.equal(count(outcomes, true), 1);
      assert.deepEqual([await countEvents(one, 'access.denied'), await one.mayUseServer(alice)], [1, false]);
      assert.equal(await answer(two, 'approved'), false);
      assert.deepEqual([await one.mayUseServer(alice), await one.listAccessRequests({ limit: 10 }, NOW)], [false, []]);

      const [other] = freshTenant(nodes());
      await keptToAList(other);
      await ask(other);
      assert.equal(await answer(other, 'approved'), true);
      assert.deepEqual([await other.mayUseServer(alice), await countEvents(other, 'access.approved')], [true, 1]);
    });

    test('[AZ-37] after a no the person asks again when it is over, and whoever was taken off the list may ask at once', async () => {
      const [store] = freshTenant(nodes());
      await keptToAList(store);
      await ask(store);
      await answer(store, 'denied');
      const later = NOW + 1 + 30 * DAY;
      assert.equal(await ask(store, { id: 'ask_2', createdAt: later - 1 }), false);
      assert.equal((await store.findAccessRequest(alice, later - 1))?.decision, 'denied');
      assert.equal(await store.findAccessRequest(alice, later), undefined);
      assert.equal(await ask(store, { id: 'ask_1', createdAt: later, expiresAt: later + DAY }), true);

      assert.equal(await answer(store, 'approved', later + 1), true);
      await store.removeServerPerson(alice, happened('server.person_removed', later + 2));
      assert.equal(await ask(store, { id: 'ask_3', createdAt: later + 3, expiresAt: later + DAY }), true);
      assert.equal(await store.mayUseServer(alice), false);
    });

    test('a question that nobody answers ends, is swept, and cannot be answered any more', async () => {
      const { one } = nodes();
      const [store] = freshTenant(nodes());
      await keptToAList(store);
      await ask(store);

      assert.equal(await answer(store, 'approved', asked.expiresAt), false);
      while ((await one.sweep(asked.expiresAt, 100)) > 0);

      assert.equal(await store.findAccessRequest(alice, NOW), undefined);
      assert.equal(await store.mayUseServer(alice), false);
    });

    test('questions go with their server', async () => {
      const [store] = freshTenant(nodes());
      await keptToAList(store);
      await ask(store);

      await store.removeServer('srv_files', happened('server.removed'));

      assert.equal(await store.findAccessRequest(alice, NOW), undefined);
    });
  });
}
