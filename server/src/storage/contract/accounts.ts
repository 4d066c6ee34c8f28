/**
 * The part of the storage contract about a whole account: what is handed out of it, and that nothing of it is left when it ends.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { holdings } from '../holdings.ts';
import type { NewUser, Store } from '../store.ts';
import { asked } from './access-requests.ts';
import { note } from './activity.ts';
import { alice, bob, code, count, countEvents, DAY, files, freshTenant, grant, happened, NOW, type Nodes, parked, rotate, session } from './fixtures.ts';
import { furnish } from './isolation.ts';

const op = (name: string): NewUser => ({ id: `usr_${name}`, username: name, role: 'operator', createdAt: NOW });
const removed = () => happened('user.removed', NOW, { userId: 'usr_alice' });

/** Alice has something in every table that can hold something of hers, and no server. */
async function furnishAll(store: Store): Promise<void> {
  await furnish(store);
  await store.removeServer('srv_notes', happened('server.removed'));
  const token = { id: 'tok_a', tokenHash: 'token of alice', userId: 'usr_alice', name: 'laptop', createdAt: NOW, expiresAt: NOW + DAY };
  await store.addOwnerToken(token, happened('owner_token.created'));
  await store.parkRequest({ ...parked, idHash: 'receipt' });
  const granted = { grant: { ...grant, id: 'grant_receipt' }, code: { ...code, codeHash: 'code-receipt', grantId: 'grant_receipt' } };
  const receipt = { text: '{"words":"Agent"}', address: '192.0.2.7', userAgent: 'Firefox' };
  await store.approveRequest({ idHash: 'receipt', answer: 'a', now: NOW, ...granted, receipt }, happened('grant.approved'));
  await store.addServerPerson({ serverId: 'srv_files', userId: 'usr_alice' }, happened('server.person_added'));
  const listed = { ...files, id: 'srv_listed', ownerId: 'usr_nobody', resource: 'https://listed.example', serverUrl: 'https://listed.example' };
  await store.addServer({ ...listed, people: 'listed' }, happened('server.added'));
  await store.askForAccess({ ...asked, serverId: 'srv_listed' }, happened('access.requested'));
  await store.recordActivity([note]);
  await store.placeHold({ id: 'inc_a', userId: 'usr_alice', clientId: 'client_x', createdAt: NOW }, happened('grant.paused'));
  await store.recordEvent(happened('user.signed_in', NOW, { userId: 'usr_alice', address: '192.0.2.1', detail: { browser: 'Firefox' } }));
}

const told = new Set(['session_clients', 'audit_events']);

export function accountsContract(nodes: () => Nodes): void {
  describe('whole accounts', () => {
    test('everything that is held about a person is handed out, and nothing about others', async () => {
      const [one, two] = freshTenant(nodes());
      await furnishAll(one);

      const held = await two.heldAbout('usr_alice', 1000);
      const theirs = Object.keys(holdings).filter((table) => holdings[table]?.leaving !== 'refuses');
      assert.deepEqual(Object.keys(held).toSorted(), theirs.toSorted());
      assert.deepEqual(held.users, [
        {
          id: 'usr_alice',
          username: 'Alice',
          email: 'Alice@Example.com',
          email_proven_at: null,
          name: 'Alice A.',
          role: 'user',
          language: null,
          created_at: NOW,
          disabled_at: null,
          agents_paused_at: null,
        },
      ]);
      assert.deepEqual(held.receipts?.[0]?.receipt, '{"words":"Agent"}');
      assert.deepEqual(
        (await two.heldAbout('usr_bob', 1000)).servers?.map(({ id }) => id),
        ['srv_files'],
      );
      assert.equal((await two.heldAbout('usr_alice', 2)).grants?.length, 2);
      assert.deepEqual(await two.heldAbout('usr_none', 1000), {});
    });

    test('a person is called otherwise, or by no name, and nobody else is', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(alice, happened('user.added'));
      await store.addUser(bob, happened('user.added'));

      assert.equal(await store.renameUser('usr_alice', 'Al', happened('user.renamed')), true);
      assert.equal((await store.findUser('usr_alice'))?.name, 'Al');
      await store.renameUser('usr_alice', undefined, happened('user.renamed'));
      assert.equal((await store.findUser('usr_alice'))?.name, undefined);
      assert.equal((await store.findUser('usr_bob'))?.name, bob.name);
      assert.equal(await store.renameUser('usr_none', 'x', happened('user.renamed')), false);
      assert.equal(await countEvents(store, 'user.renamed'), 2);
    });

    test('[ACC-04] nothing is left of a person who leaves but events without address and detail, and clients that are to be told', async () => {
      const [one, two] = freshTenant(nodes());
      await furnishAll(one);
      const others = { bob: await two.heldAbout('usr_bob', 1000), servers: await two.listServers({ limit: 10 }) };

      assert.equal(await one.removeUser('usr_alice', removed()), 'removed');

      const held = await two.heldAbout('usr_alice', 1000);
      assert.deepEqual(
        Object.keys(held).filter((table) => !told.has(table)),
        [],
      );
      const events = held.audit_events ?? [];
      assert.ok(events.some(({ type }) => type === 'user.removed') && events.some(({ type }) => type === 'user.signed_in'));
      assert.ok(events.every(({ address, detail }) => address === null && detail === null));
      assert.equal((await two.claimLogouts(NOW, 10)).length, 1);
      assert.equal(await two.findUserByLogin('alice'), undefined);
      assert.deepEqual({ bob: await two.heldAbout('usr_bob', 1000), servers: await two.listServers({ limit: 10 }) }, others);
      assert.equal(await one.addUser({ ...alice, id: 'usr_again' }, happened('user.added')), 'added');
    });

    test('[ACC-04] access, refresh tokens, codes and the session of a person who leaves are worth nothing from then on', async () => {
      const [one, two] = freshTenant(nodes());
      await furnishAll(one);
      assert.equal((await two.standing({ grantId: 'grant_1', jti: 'j', now: NOW }))?.active, true);

      await one.removeUser('usr_alice', removed());

      const standing = await two.standingForKey({ keyHash: 'key-hash', grantId: 'grant_1', jti: 'j', now: NOW });
      assert.equal(standing?.key.id, 'sk_files');
      assert.equal(standing?.grant, undefined);
      assert.deepEqual(await rotate(two, 'rt-0', 'rt-1', NOW + 1), { outcome: 'dead' });
      assert.equal(await two.redeemCode({ codeHash: 'code-open', now: NOW, redemptionId: 'r' }), 'spent');
      assert.equal(await two.findSession(session.idHash, NOW), undefined);
      assert.equal(await two.findOwner('token of alice', NOW), undefined);
    });

    test('[ACC-04] who owns servers stays, and so does the last who can run the place', async () => {
      const [one, two] = freshTenant(nodes());
      await furnishAll(one);
      await one.addUser(op('one'), happened('user.added'));

      assert.equal(await one.removeUser(bob.id, removed()), 'owner');
      assert.equal(await one.removeUser('usr_one', removed()), 'operator');
      assert.equal(await one.removeUser('usr_none', removed()), 'gone');
      assert.equal(await countEvents(two, 'user.removed'), 0);
      assert.ok((await two.heldAbout(bob.id, 10)).servers);

      await one.addUser(op('two'), happened('user.added'));
      await one.setUserDisabled('usr_two', true, happened('user.disabled'));
      assert.equal(await one.removeUser('usr_one', removed()), 'operator');
      assert.equal(await one.removeUser('usr_two', removed()), 'removed');
    });

    test('[ACC-04] of operators who leave at once, one stays', async () => {
      const [one, two] = freshTenant(nodes());
      const names = ['a', 'b', 'c', 'd'];
      for (const name of names) await one.addUser(op(name), happened('user.added'));

      const outcomes = await Promise.all(names.map((name, index) => (index % 2 ? one : two).removeUser(`usr_${name}`, happened('user.removed'))));
      assert.deepEqual([count(outcomes, 'removed'), count(outcomes, 'operator')], [3, 1]);
      assert.equal((await one.listUsers()).length, 1);
    });
  });
}
