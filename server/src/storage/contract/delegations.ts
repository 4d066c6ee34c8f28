/**
 * The part of the storage contract about delegation (RFC 8693): which approvals an exchange may use, and what a person sees of the chain.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Store } from '../store.ts';
import { approve, countEvents, DAY, files, freshTenant, happened, NOW, type Nodes, notes, settle, times } from './fixtures.ts';

const key = { userId: 'usr_alice', clientId: 'client_notes', resource: notes.resource, subjectGrantId: 'grant_1' };
const noted = { grantId: 'grant_there', subjectGrantId: 'grant_1', userId: 'usr_alice', expiresAt: NOW + 90 * DAY };

/** Alice's agent may read Files (`grant_1`), and who speaks for Files may act for her at Notes (`grant_there`). */
async function chain(store: Store): Promise<void> {
  await settle(store);
  await approve(store);
  await approve(store, 'there', { clientId: 'client_notes', resource: notes.resource, serverId: 'srv_notes', expiresAt: NOW + 90 * DAY });
}

export function delegationsContract(nodes: () => Nodes): void {
  describe('delegations', () => {
    test('approvals are the living grants of exactly this person, client and resource, newest first', async () => {
      const [store] = freshTenant(nodes());
      await chain(store);
      await approve(store, 'newer', { clientId: 'client_notes', resource: notes.resource, createdAt: NOW + 5 });
      const found = async (changes: Partial<typeof key> = {}, now = NOW + 5) =>
        (await store.listApprovals({ ...key, ...changes }, now)).map(({ grant, notedAt }) => [grant.id, notedAt]);

      assert.deepEqual(await found(), [
        ['grant_newer', undefined],
        ['grant_there', undefined],
      ]);
      for (const other of [{ userId: 'usr_bob' }, { clientId: 'client_1' }, { resource: files.resource }]) assert.deepEqual(await found(other), []);
      await store.revokeGrant('grant_newer', 'person', happened('grant.revoked'));
      assert.deepEqual(await found({}, NOW + 90 * DAY - 1), [['grant_there', undefined]]);
      assert.deepEqual(await found({}, NOW + 90 * DAY), []);
    });

    test('a use is noted once, however many servers note it at a time, and its time only moves forward', async () => {
      const [one, two] = freshTenant(nodes());
      await chain(one);

      await times(20, (index) => (index % 2 ? one : two).noteDelegation(noted, happened('grant.delegated', NOW + index)));
      await one.noteDelegation(noted, happened('grant.delegated', NOW + 5));

      assert.equal(await countEvents(one, 'grant.delegated'), 1);
      assert.deepEqual(await one.listDelegations('usr_alice', NOW), [
        { grantId: 'grant_there', clientId: 'client_1', resource: files.resource, serverName: 'Files', lastUsedAt: NOW + 19 },
      ]);
      assert.deepEqual(
        (await one.listApprovals(key, NOW)).map(({ notedAt }) => notedAt),
        [NOW + 19],
      );
      assert.deepEqual(
        (await one.listApprovals({ ...key, subjectGrantId: 'grant_2' }, NOW)).map(({ notedAt }) => notedAt),
        [undefined],
      );
    });

    test('a person sees only their own, and only through grants that live', async () => {
      const [store] = freshTenant(nodes());
      await chain(store);
      await store.noteDelegation(noted, happened('grant.delegated'));

      assert.deepEqual(await store.listDelegations('usr_bob', NOW), []);
      await store.revokeGrant('grant_1', 'person', happened('grant.revoked'));
      assert.deepEqual(await store.listDelegations('usr_alice', NOW), []);
    });

    test('a note is swept when the grant it is about has ended', async () => {
      const { one } = nodes();
      const [store] = freshTenant(nodes());
      await chain(store);
      await store.noteDelegation({ ...noted, expiresAt: NOW + 10 }, happened('grant.delegated'));

      await one.sweep(NOW + 9, 100);
      assert.equal((await store.listDelegations('usr_alice', NOW)).length, 1);
      await one.sweep(NOW + 10, 100);
      assert.equal((await store.listDelegations('usr_alice', NOW)).length, 0);
    });
  });
}
