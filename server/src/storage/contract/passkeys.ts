/**
 * The part of the storage contract about passkeys, the ways into an account, a person's own sessions and offers: what is noted once, and what always stays.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_PASSKEYS, type Passkey } from '../store.ts';
import { alice, bob, connect, count, countEvents, freshTenant, happened, NOW, type Nodes, session, times } from './fixtures.ts';

export const passkey: Passkey = {
  id: 'pk_1',
  userId: 'usr_alice',
  credentialId: 'credential-1',
  userHandle: 'handle of alice',
  publicKey: 'cose',
  counter: 0,
  transports: ['internal', 'hybrid'],
  aaguid: '00000000-0000-0000-0000-000000000000',
  backupEligible: true,
  backedUp: false,
  createdAt: NOW,
};
const both = { password: true, passkeys: true, upstreams: true, emailCode: true };
const onlyPasskeys = { password: false, passkeys: true, upstreams: true, emailCode: true };

export function passkeysContract(nodes: () => Nodes): void {
  describe('passkeys', () => {
    test('a passkey is found by its credential, with its person and exactly what was stored', async () => {
      const [store] = freshTenant(nodes());
      const { passwordHash: _, ...person } = alice;
      await store.addUser(alice, happened('user.added'));
      const named = { ...passkey, id: 'pk_2', credentialId: 'credential-2', name: 'Blue key', createdAt: NOW + 1, counter: 7 };

      assert.deepEqual(
        [await store.addPasskey(passkey, happened('passkey.added')), await store.addPasskey(named, happened('passkey.added'))],
        ['added', 'added'],
      );
      assert.deepEqual(await store.findPasskey('credential-1'), { passkey, user: person });
      assert.equal(await store.findPasskey('credential'), undefined);
      assert.deepEqual(await store.listPasskeys('usr_alice'), [passkey, named]);
      assert.deepEqual(await store.listPasskeys('usr_bob'), []);
      assert.equal(await countEvents(store, 'passkey.added'), 2);
    });

    test('a credential belongs to one person, and one person has no more than are of use', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await store.addPasskey(passkey, happened('passkey.added'));
      const more = (index: number) => store.addPasskey({ ...passkey, id: `pk_m${index}`, credentialId: `more-${index}` }, happened('passkey.added'));
      for (let index = 1; index < MAX_PASSKEYS; index++) assert.equal(await more(index), 'added');

      assert.equal(await more(MAX_PASSKEYS), 'full');
      assert.equal(await store.addPasskey({ ...passkey, id: 'pk_x', userId: 'usr_bob' }, happened('passkey.added')), 'taken');
      assert.equal(await countEvents(store, 'passkey.added'), MAX_PASSKEYS);
    });

    test('of parallel uses with one counter a single one is noted, and a counter that stands still or goes back is not', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addUser(alice, happened('user.added'));
      await one.addPasskey({ ...passkey, counter: 4 }, happened('passkey.added'));
      const use = (counter: number) => ({ credentialId: 'credential-1', counter, backedUp: true, now: NOW + counter });

      const outcomes = await times(8, (index) => (index % 2 ? one : two).usePasskey(use(5)));
      assert.equal(count(outcomes, true), 1);
      assert.deepEqual([await one.usePasskey(use(4)), await one.usePasskey(use(0)), await one.usePasskey(use(9))], [false, false, true]);
      assert.deepEqual((await one.findPasskey('credential-1'))?.passkey, { ...passkey, counter: 9, backedUp: true, lastUsedAt: NOW + 9 });
    });

    test('an authenticator that does not count may sign as often as it likes, until it counts', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(alice, happened('user.added'));
      await store.addPasskey(passkey, happened('passkey.added'));
      const use = (counter: number) => store.usePasskey({ credentialId: 'credential-1', counter, backedUp: false, now: NOW });

      assert.deepEqual([await use(0), await use(0), await use(1), await use(0)], [true, true, true, false]);
      assert.equal(await store.usePasskey({ credentialId: 'nobody', counter: 0, backedUp: false, now: NOW }), false);
    });

    test('a name is given by its owner only', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await store.addPasskey(passkey, happened('passkey.added'));
      const rename = (userId: string) => store.renamePasskey({ userId, id: 'pk_1', name: `of ${userId}` }, happened('passkey.renamed'));

      assert.deepEqual([await rename('usr_bob'), await rename('usr_alice')], [false, true]);
      assert.equal((await store.findPasskey('credential-1'))?.passkey.name, 'of usr_alice');
      assert.equal(await countEvents(store, 'passkey.renamed'), 1);
    });
  });

  describe('ways into an account', () => {
    test('the last way in is never removed, and only what is on counts as one', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await store.addPasskey(passkey, happened('passkey.added'));
      const remove = (userId: string, ways = both) => store.removePasskey({ userId, id: 'pk_1', ways }, happened('passkey.removed'));

      assert.deepEqual([await store.countWaysIn('usr_alice', both), await store.countWaysIn('usr_alice', onlyPasskeys)], [2, 1]);
      assert.deepEqual([await remove('usr_bob'), await remove('usr_alice', onlyPasskeys)], ['gone', 'last']);
      assert.equal(await countEvents(store, 'passkey.removed'), 0);
      assert.deepEqual([await remove('usr_alice'), await remove('usr_alice')], ['removed', 'gone']);
      assert.equal(await store.countWaysIn('usr_alice', both), 1);
      assert.equal(await store.findPasskey('credential-1'), undefined);
      assert.equal(await countEvents(store, 'passkey.removed'), 1);
    });

    test('of passkeys that are all removed at once one stays', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addUser(bob, happened('user.added'));
      const add = (index: number) => ({ ...passkey, id: `pk_${index}`, credentialId: `c-${index}`, userId: 'usr_bob' });
      for (let index = 0; index < 6; index++) await one.addPasskey(add(index), happened('passkey.added'));

      const outcomes = await times(6, (index) =>
        (index % 2 ? one : two).removePasskey({ userId: 'usr_bob', id: `pk_${index}`, ways: both }, happened('passkey.removed')),
      );

      assert.deepEqual([count(outcomes, 'removed'), count(outcomes, 'last')], [5, 1]);
      assert.equal((await one.listPasskeys('usr_bob')).length, 1);
      assert.equal(await countEvents(one, 'passkey.removed'), 5);
    });
  });

  describe('sessions of a person', () => {
    const of = (idHash: string, changes = {}) => ({ ...session, idHash, sid: idHash, ...changes });

    test('living sessions are listed, the latest first, and nobody else’s', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      for (const one of [of('old', { seenAt: NOW - 50 }), of('new'), of('idle', { idleSeconds: 1, seenAt: NOW - 5 }), of('bobs', { userId: 'usr_bob' })])
        await store.startSession(one, undefined, happened('user.signed_in'));

      const listed = await store.listSessions('usr_alice', NOW);
      assert.deepEqual(listed, [of('new'), of('old', { seenAt: NOW - 50 })]);
    });

    test('[LOG-01] signing out everywhere ends all sessions of one person, and their agents only where asked', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      for (const one of [of('a'), of('b'), of('bobs', { userId: 'usr_bob' })]) await store.startSession(one, undefined, happened('user.signed_in'));
      const end = (userId: string, agents: boolean) => store.endSessionsOf(userId, { agents }, happened('user.signed_out_everywhere'));

      assert.equal(await end('usr_alice', false), true);
      assert.deepEqual(await store.listSessions('usr_alice', NOW), []);
      assert.equal((await store.findGrant('grant_1'))?.revokedAt, undefined);
      assert.equal(await end('usr_alice', true), true);
      assert.equal((await store.findGrant('grant_1'))?.revokedReason, 'signed_out_everywhere');
      assert.equal((await store.findFamily('family-1', NOW))?.family.revokedAt, NOW);
      assert.equal(await end('usr_nobody', true), false);
      assert.equal((await store.listSessions('usr_bob', NOW)).length, 1);
      assert.equal(await countEvents(store, 'user.signed_out_everywhere'), 2);
    });
  });

  describe('offers', () => {
    test('what one person has dismissed stays so, for them', async () => {
      const [store] = freshTenant(nodes());
      assert.equal(await store.hasDismissed('usr_alice', 'passkey'), false);
      await store.dismiss('usr_alice', 'passkey', NOW);
      await store.dismiss('usr_alice', 'passkey', NOW + 1);

      assert.deepEqual([await store.hasDismissed('usr_alice', 'passkey'), await store.hasDismissed('usr_bob', 'passkey')], [true, false]);
    });
  });
}
