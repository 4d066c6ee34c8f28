/**
 * The part of the storage contract about one-time links and codes: who may use one, how often one may guess, and what a use changes.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NewUser, Store } from '../store.ts';
import { MAX_LINK_TRIES, type OneTimeLink } from '../verbs/one-time-links.ts';
import { alice, bob, connect, count, countEvents, DAY, freshTenant, happened, NOW, type Nodes, session, settle, times } from './fixtures.ts';

const HOUR = 3600;

export const invitation: OneTimeLink = {
  id: 'lnk_invited',
  purpose: 'invitation',
  tokenHash: 'invitation-token',
  email: 'Carol@Example.com',
  role: 'owner',
  createdAt: NOW,
  expiresAt: NOW + DAY,
};
export const resetLink: OneTimeLink = {
  id: 'lnk_reset',
  purpose: 'reset',
  tokenHash: 'reset-token',
  userId: 'usr_alice',
  createdAt: NOW,
  expiresAt: NOW + HOUR,
};
export const codeLink: OneTimeLink = {
  id: 'lnk_code',
  purpose: 'sign-in',
  tokenHash: 'code-token',
  codeHash: 'right',
  browserHash: 'browser-1',
  userId: 'usr_alice',
  email: 'alice@example.com',
  createdAt: NOW,
  expiresAt: NOW + 600,
};
const signUp: OneTimeLink = { ...codeLink, id: 'lnk_sign_up', purpose: 'sign-up', tokenHash: 'sign-up-token', userId: undefined, email: 'carol@example.com' };

const carol: NewUser = { id: 'usr_carol', username: 'carol', email: 'carol@example.com', role: 'user', createdAt: NOW, passwordHash: 'hash-c' };
const add = (store: Store, link: OneTimeLink, replaces = false, sentTo?: string) => store.addLink(link, { replaces, sentTo }, happened('user.code_requested'));
const provenAt = async (store: Store, userId = 'usr_alice') => (await store.findUser(userId))?.emailProvenAt;
const enter = (store: Store, codeHash: string, more: Partial<{ id: string; browserHash: string; now: number }> = {}) =>
  store.tryLink({ id: 'lnk_code', browserHash: 'browser-1', codeHash, now: NOW, provenUntil: NOW + HOUR, ...more });
const reset = (store: Store, hash = 'new', id = 'lnk_reset', at = NOW) =>
  store.resetPassword(id, hash, { ...happened('user.password_reset', at), userId: 'usr_alice' });
const signedUp = (at = NOW) => happened('user.signed_up', at);

export function oneTimeLinksContract(nodes: () => Nodes): void {
  describe('one-time links', () => {
    test('a link is found by its secret, with exactly what was stored, until it expires', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      for (const link of [invitation, resetLink, codeLink]) await add(store, link);

      assert.deepEqual(await store.findLink('invitation-token', NOW), invitation);
      assert.deepEqual(await store.findLink('code-token', NOW + 599), codeLink);
      assert.equal(await store.findLink('code-token', NOW + 600), undefined);
      assert.equal(await store.findLink('lnk_code', NOW), undefined);
      assert.deepEqual(await store.findOwnLink('lnk_code', 'browser-1', NOW), codeLink);
      for (const [id, browser] of [
        ['lnk_code', 'browser-2'],
        ['code-token', 'browser-1'],
        ['lnk_invited', 'browser-1'],
      ] as const)
        assert.equal(await store.findOwnLink(id, browser, NOW), undefined);
      assert.equal(await countEvents(store, 'user.code_requested'), 3);
    });

    test('links of a person who is disabled are not found', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await add(store, resetLink);
      await store.setUserDisabled('usr_alice', true, happened('user.disabled'));

      assert.equal(await store.findLink('reset-token', NOW), undefined);
      assert.equal(await reset(store), false);
    });

    test('a newer link that replaces ends the older ones of its purpose for the same person or address, and no others', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await add(store, resetLink);
      await add(store, codeLink);
      await add(store, { ...resetLink, id: 'lnk_bob', tokenHash: 'bob-token', userId: 'usr_bob' });
      await add(store, invitation);
      await add(store, { ...invitation, id: 'lnk_dave', tokenHash: 'dave-token', email: 'dave@example.com' });
      await add(store, { ...resetLink, id: 'lnk_newer', tokenHash: 'newer-token' }, true);
      await add(store, { ...invitation, id: 'lnk_again', tokenHash: 'again-token', email: 'CAROL@example.com', createdAt: NOW + 1 }, true);

      const alive = [];
      for (const token of ['reset-token', 'code-token', 'bob-token', 'invitation-token', 'dave-token', 'newer-token', 'again-token'])
        if (await store.findLink(token, NOW)) alive.push(token);
      assert.deepEqual(alive, ['code-token', 'bob-token', 'dave-token', 'newer-token', 'again-token']);
      assert.deepEqual(
        (await store.listInvitations(NOW)).map(({ id }) => id),
        ['lnk_again', 'lnk_dave'],
      );
      assert.deepEqual(await store.listInvitations(NOW + DAY), []);
    });

    test('a code is proven once, by the browser that asked, before it expires', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      await add(one, codeLink);

      assert.equal(await enter(one, 'right', { browserHash: 'browser-2' }), 'over');
      assert.equal(await enter(one, 'right', { id: 'lnk_other' }), 'over');
      assert.equal(await enter(one, 'right', { now: NOW + 600 }), 'over');
      assert.equal(await enter(two, 'right', { now: NOW + 599 }), 'right');
      assert.equal(await enter(one, 'right'), 'over');
      assert.deepEqual(await one.findOwnLink('lnk_code', 'browser-1', NOW + HOUR - 1), { ...codeLink, expiresAt: NOW + HOUR, provenAt: NOW + 599 });
    });

    test('a right code for signing in proves the address its mail went to, and nothing else does', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      await add(one, { ...codeLink, email: undefined }, false, 'ALICE@example.com');

      assert.deepEqual([await enter(one, 'wrong'), await provenAt(one)], ['wrong', undefined]);
      assert.deepEqual([await enter(one, 'right', { browserHash: 'browser-2' }), await provenAt(one)], ['over', undefined]);
      assert.deepEqual([await enter(two, 'right', { now: NOW + 5 }), await provenAt(one)], ['right', NOW + 5]);
      assert.deepEqual([await enter(one, 'right', { now: NOW + 9 }), await provenAt(one)], ['over', NOW + 5]);
      assert.equal(await provenAt(one, 'usr_bob'), undefined);
    });

    test('a code that went to another address than the person has proves nothing', async () => {
      for (const sentTo of ['old@example.com', undefined]) {
        const [store] = freshTenant(nodes());
        await settle(store);
        await add(store, { ...codeLink, email: undefined }, false, sentTo);

        assert.deepEqual([await enter(store, 'right'), await provenAt(store)], ['right', undefined]);
      }
    });

    test('of a right code and another address at once, no address is proven that the mail did not reach', async () => {
      for (let round = 0; round < 8; round++) {
        const [one, two] = freshTenant(nodes());
        await settle(one);
        await add(one, codeLink);
        await Promise.all([
          enter(one, 'right'),
          two.changeEmail({ userId: 'usr_alice', email: 'typo@example.com' }, happened('user.email_changed', NOW, { userId: 'usr_alice' })),
        ]);

        assert.deepEqual([(await one.findUser('usr_alice'))?.email, await provenAt(one)], ['typo@example.com', undefined]);
      }
    });

    test('after five tries a code is dead, however they arrive', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      await add(one, codeLink);
      const guesses = await times(20, (index) => enter(index % 2 ? one : two, `wrong-${index}`));

      assert.equal(count(guesses, 'wrong'), MAX_LINK_TRIES);
      assert.equal(count(guesses, 'over'), 15);
      assert.equal(await enter(one, 'right'), 'over');
      await add(one, { ...codeLink, id: 'lnk_second', tokenHash: 'second' });
      for (let wrong = 0; wrong < MAX_LINK_TRIES - 1; wrong++) assert.equal(await enter(one, 'wrong', { id: 'lnk_second' }), 'wrong');
      assert.equal(await enter(two, 'right', { id: 'lnk_second' }), 'right');
    });

    test('of parallel entries of the right code exactly one proves it', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      await add(one, codeLink);
      const tries = await times(10, (index) => enter(index % 2 ? one : two, 'right'));

      assert.equal(count(tries, 'right'), 1);
    });

    test('a row without a code is right for nobody', async () => {
      const [store] = freshTenant(nodes());
      await add(store, { ...codeLink, codeHash: undefined, userId: undefined });

      assert.equal(await enter(store, 'right'), 'wrong');
      assert.equal(await enter(store, ''), 'wrong');
    });

    test('of parallel acceptances of an invitation exactly one makes a person', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      await add(one, invitation);
      const outcomes = await times(10, (index) =>
        (index % 2 ? one : two).acceptLink('lnk_invited', { ...carol, id: `usr_${index}`, username: `carol${index}`, email: undefined }, signedUp()),
      );

      assert.equal(count(outcomes, 'done'), 1);
      assert.equal(count(outcomes, 'used'), 9);
      assert.equal((await one.listUsers()).length, 3);
      assert.equal(await countEvents(one, 'user.signed_up'), 1);
      assert.equal(await one.findLink('invitation-token', NOW), undefined);
    });

    test('a taken name or address gives the link back', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await add(store, invitation);

      assert.equal(await store.acceptLink('lnk_invited', { ...carol, username: 'ALICE' }, signedUp()), 'taken');
      assert.equal(await store.acceptLink('lnk_invited', { ...carol, email: 'alice@example.com' }, signedUp()), 'taken');
      assert.equal(await store.acceptLink('lnk_invited', carol, signedUp()), 'done');
      assert.equal((await store.findUserByLogin('carol@example.com'))?.passwordHash, 'hash-c');
      assert.equal(await store.acceptLink('lnk_invited', { ...bob, id: 'usr_x', username: 'x' }, signedUp()), 'used');
    });

    test('a sign-up makes a person only after its code was proven, and no other link ever does', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      for (const link of [resetLink, codeLink, signUp]) await add(store, link);

      for (const id of ['lnk_reset', 'lnk_code', 'lnk_sign_up']) assert.equal(await store.acceptLink(id, carol, signedUp()), 'used');
      await enter(store, 'right');
      assert.equal(await store.acceptLink('lnk_code', carol, signedUp()), 'used');
      await enter(store, 'right', { id: 'lnk_sign_up' });
      assert.equal(await store.acceptLink('lnk_sign_up', carol, signedUp(NOW + HOUR)), 'used');
      assert.equal(await store.acceptLink('lnk_sign_up', { ...carol, emailProvenAt: NOW, passwordHash: undefined }, signedUp(NOW + HOUR - 1)), 'done');
      assert.deepEqual(await store.findUserByLogin('carol'), {
        user: { id: 'usr_carol', username: 'carol', email: 'carol@example.com', emailProvenAt: NOW, role: 'user', createdAt: NOW },
      });
    });

    test('a new password ends sessions and other links of the person, once, and leaves what agents may do', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);
      await one.startSession(session, undefined, happened('user.signed_in'));
      await one.startSession({ ...session, idHash: 'session-bob', userId: 'usr_bob', unproven: true }, undefined, happened('user.signed_in'));
      assert.deepEqual(await two.listSessions('usr_bob', NOW), [{ ...session, idHash: 'session-bob', userId: 'usr_bob', unproven: true }]);
      for (const link of [resetLink, codeLink]) await add(one, link);
      await add(one, { ...resetLink, id: 'lnk_other', tokenHash: 'other-token' });
      await add(one, { ...resetLink, id: 'lnk_bob', tokenHash: 'bob-token', userId: 'usr_bob' });
      const agents = await one.listAgents('usr_alice', NOW);
      const outcomes = await times(6, (index) => reset(index % 2 ? one : two, `new-${index}`));

      assert.equal(count(outcomes, true), 1);
      assert.equal((await one.findUserByLogin('alice'))?.passwordHash, `new-${outcomes.indexOf(true)}`);
      assert.equal(await one.findSession('session-1', NOW), undefined);
      assert.equal((await one.findSession('session-bob', NOW))?.user.id, 'usr_bob');
      for (const token of ['reset-token', 'other-token', 'code-token']) assert.equal(await one.findLink(token, NOW), undefined);
      assert.equal((await one.findLink('bob-token', NOW))?.id, 'lnk_bob');
      assert.ok(agents.length > 0);
      assert.deepEqual(await one.listAgents('usr_alice', NOW), agents);
      assert.equal(await countEvents(one, 'user.password_reset'), 1);
    });

    test('a reset link proves the address it was mailed to; one that an operator handed over proves none', async () => {
      for (const [sentTo, proven] of [
        ['alice@EXAMPLE.com', NOW + 7],
        [undefined, undefined],
        ['old@example.com', undefined],
      ] as const) {
        const [store] = freshTenant(nodes());
        await settle(store);
        await add(store, resetLink, false, sentTo);

        assert.deepEqual([await reset(store, 'new', 'lnk_reset', NOW + 7), await provenAt(store)], [true, proven]);
      }
    });

    test('a reset link is for its own person, its own purpose and its own time', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      for (const link of [resetLink, codeLink]) await add(store, link);
      await add(store, { ...resetLink, id: 'lnk_bob', tokenHash: 'bob-token', userId: 'usr_bob' });

      assert.equal(await reset(store, 'new', 'lnk_bob'), false);
      assert.equal(await reset(store, 'new', 'lnk_code'), false);
      assert.equal(await reset(store, 'new', 'lnk_reset', NOW + HOUR), false);
      assert.equal((await store.findUserByLogin('alice'))?.passwordHash, alice.passwordHash);
      assert.equal(await countEvents(store, 'user.password_reset'), 0);
    });

    test('a changed password ends the links of the person too', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await add(store, resetLink);
      await store.changePassword('usr_alice', 'hash', happened('user.password_changed'));

      assert.equal(await store.findLink('reset-token', NOW), undefined);
    });

    test('expired links are swept', async () => {
      const { one } = nodes();
      const [store] = freshTenant(nodes());
      await settle(store);
      await add(store, codeLink);
      while ((await one.sweep(NOW + 600, 100)) > 0);
      await add(store, { ...codeLink, expiresAt: NOW + 2 * HOUR });

      assert.equal((await store.findLink('code-token', NOW))?.expiresAt, NOW + 2 * HOUR);
    });
  });
}
