/**
 * The part of the storage contract about a person's own changes to their password: what ends with it, what stays, and that a way in always remains.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { alice, bob, connect, count, countEvents, freshTenant, happened, NOW, type Nodes, session, times } from './fixtures.ts';
import { listening } from './logout.ts';
import { codeLink, resetLink } from './one-time-links.ts';
import { passkey } from './passkeys.ts';

const ways = { password: true, passkeys: true, upstreams: true, emailCode: true };

export function passwordsContract(nodes: () => Nodes): void {
  describe('own passwords', () => {
    test('[LOG-01] a changed password ends the other sessions where asked, and what agents may do stays', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      for (const idHash of ['mine', 'other']) await store.startSession({ ...session, idHash, sid: `sid-${idHash}` }, undefined, happened('user.signed_in'));
      await store.startSession({ ...session, idHash: 'bobs', userId: 'usr_bob' }, undefined, happened('user.signed_in'));
      const living = async () => (await store.listSessions('usr_alice', NOW)).map(({ idHash }) => idHash).sort();
      const set = (passwordHash: string, keeping?: string) =>
        store.setPassword({ userId: 'usr_alice', passwordHash, keeping }, happened('user.password_changed'));

      assert.equal(await set('hash-2'), true);
      assert.deepEqual([(await store.findUserByLogin('alice'))?.passwordHash, await living()], ['hash-2', ['mine', 'other']]);
      assert.equal(await set('hash-3', 'mine'), true);
      assert.deepEqual([(await store.findUserByLogin('alice'))?.passwordHash, await living()], ['hash-3', ['mine']]);
      assert.equal((await store.listSessions('usr_bob', NOW)).length, 1);
      assert.equal((await store.findGrant('grant_1'))?.revokedAt, undefined);
      assert.equal(await store.setPassword({ userId: 'usr_nobody', passwordHash: 'x' }, happened('user.password_changed')), false);
      assert.equal(await countEvents(store, 'user.password_changed'), 2);
    });

    test('[LINK-04] it ends the open links and codes of the person, whether other sessions end or not, and nobody else’s', async () => {
      for (const keeping of [undefined, 'mine']) {
        const [store] = freshTenant(nodes());
        await connect(store);
        const bobs = { ...resetLink, id: 'lnk_bob', tokenHash: 'bob-token', userId: 'usr_bob' };
        for (const link of [resetLink, codeLink, bobs]) await store.addLink(link, { replaces: false }, happened('user.code_requested'));
        await store.setPassword({ userId: 'usr_alice', passwordHash: 'hash-2', keeping }, happened('user.password_changed', NOW + 5));

        for (const token of ['reset-token', 'code-token']) assert.equal(await store.findLink(token, NOW + 5), undefined, token);
        assert.deepEqual(await store.findLink('bob-token', NOW + 5), bobs);
      }
    });

    test('[LO-04] clients hear of the sessions that end with it, and of no other', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      for (const idHash of ['mine', 'other']) await store.startSession({ ...session, idHash, sid: `sid-${idHash}` }, undefined, happened('user.signed_in'));
      for (const sid of ['sid-mine', 'sid-other']) await listening(store, sid, `client-${sid}`);

      await store.setPassword({ userId: 'usr_alice', passwordHash: 'hash-2', keeping: 'mine' }, happened('user.password_changed'));

      assert.deepEqual(
        (await store.claimLogouts(NOW, 10)).map(({ sid }) => sid),
        ['sid-other'],
      );
    });

    test('a person without a password can set one', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(bob, happened('user.added'));

      assert.equal(await store.hasPassword('usr_bob'), false);
      assert.equal(await store.setPassword({ userId: 'usr_bob', passwordHash: 'first' }, happened('user.password_changed')), true);
      assert.equal(await store.hasPassword('usr_bob'), true);
      assert.equal((await store.findUserByLogin('bob'))?.passwordHash, 'first');
    });

    test('it is removed unless it is the last way in', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(alice, happened('user.added'));
      const remove = (on = ways) => store.removePassword({ userId: 'usr_alice', ways: on }, happened('user.password_removed'));

      assert.equal(await remove(), 'last');
      await store.addPasskey(passkey, happened('passkey.added'));
      assert.equal(await remove({ password: true, passkeys: false, upstreams: true, emailCode: true }), 'last');
      const epoch = (await store.findUser('usr_alice'))?.sessionEpoch;
      assert.deepEqual([await remove(), await remove()], ['removed', 'gone']);
      // A sign-in that began with it starts no session any more.
      assert.equal(await store.startSession({ ...session, epoch }, undefined, happened('user.signed_in')), false);
      assert.equal((await store.findUser('usr_alice'))?.sessionEpoch, (epoch ?? 0) + 1);
      assert.equal((await store.findUserByLogin('alice'))?.passwordHash, undefined);
      assert.equal(await countEvents(store, 'user.password_removed'), 1);
    });

    test('where there is none, nothing is removed and nothing recorded, however many ways lead in', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser({ ...alice, passwordHash: undefined, emailProvenAt: NOW }, happened('user.added'));
      await store.addPasskey(passkey, happened('passkey.added'));

      assert.equal(await store.countWaysIn('usr_alice', ways), 2);
      assert.equal(await store.removePassword({ userId: 'usr_alice', ways }, happened('user.password_removed')), 'gone');
      assert.equal(await countEvents(store, 'user.password_removed'), 0);
    });

    test('codes by mail are a way in where they are on and the address is proven', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser({ ...alice, emailProvenAt: NOW }, happened('user.added'));
      await store.addUser({ ...bob, email: 'bob@example.com', passwordHash: 'hash-b' }, happened('user.added'));
      const remove = (userId: string, on = ways) => store.removePassword({ userId, ways: on }, happened('user.password_removed'));

      assert.deepEqual([await store.countWaysIn('usr_alice', ways), await store.countWaysIn('usr_bob', ways)], [2, 1]);
      assert.equal(await remove('usr_alice', { ...ways, emailCode: false }), 'last');
      assert.deepEqual([await remove('usr_alice'), await remove('usr_bob')], ['removed', 'last']);
      assert.equal(await store.countWaysIn('usr_alice', ways), 1);
    });

    test('of the last two ways in, removed at once, one stays', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addUser(alice, happened('user.added'));
      await one.addPasskey(passkey, happened('passkey.added'));

      const outcomes: string[] = await times(2, (index) =>
        index === 0
          ? one.removePassword({ userId: 'usr_alice', ways }, happened('user.password_removed'))
          : two.removePasskey({ userId: 'usr_alice', id: 'pk_1', ways }, happened('passkey.removed')),
      );

      assert.deepEqual([count(outcomes, 'removed'), count(outcomes, 'last')], [1, 1]);
      assert.equal(await one.countWaysIn('usr_alice', ways), 1);
    });
  });
}
