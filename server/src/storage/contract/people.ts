/**
 * The part of the storage contract about people: accounts, passwords, sessions, the first operator, owner tokens, guessing.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConstraintError } from '../driver.ts';
import type { NewUser, OwnerToken, Store } from '../store.ts';
import { alice, bob, connect, count, countEvents, DAY, freshTenant, happened, NOW, type Nodes, rotate, session, signIn, times } from './fixtures.ts';
import { resetLink } from './one-time-links.ts';

const operator: NewUser & { passwordHash: string } = { id: 'usr_op', username: 'op', role: 'operator', createdAt: NOW, passwordHash: 'hash' };
const token: OwnerToken = { id: 'tok_1', tokenHash: 'token-hash', userId: 'usr_op', name: 'first', createdAt: NOW, expiresAt: NOW + DAY };

export function peopleContract(nodes: () => Nodes): void {
  describe('people', () => {
    test('a person is found by id, username and e-mail in any case, with exactly what was stored', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(alice, happened('user.added'));
      const { passwordHash, ...stored } = alice;

      assert.deepEqual(await store.findUser('usr_alice'), stored);
      assert.deepEqual(await store.findUserByLogin('aLICE'), { user: stored, passwordHash });
      assert.deepEqual(await store.findUserByLogin('ALICE@example.COM'), { user: stored, passwordHash });
      assert.equal(await store.findUserByLogin('alice@example'), undefined);
      assert.equal(await store.findUser('usr_nobody'), undefined);
    });

    test('a person without a password has none', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(bob, happened('user.added'));

      const { ...stored } = bob;
      assert.deepEqual(await store.findUserByLogin('bob'), { user: stored });
      assert.deepEqual(await store.listUsers(), [stored]);
    });

    test('a person has the language they chose last, in every place that knows the person', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(alice, happened('user.added'));
      await store.addUser({ ...bob, language: 'pt-BR' }, happened('user.added'));
      await store.startSession(session, undefined, happened('user.signed_in'));

      assert.equal(await store.setLanguage('usr_alice', 'de'), true);
      assert.equal(await store.setLanguage('usr_nobody', 'de'), false);
      assert.equal((await store.findUser('usr_alice'))?.language, 'de');
      assert.equal((await store.findSession(session.idHash, NOW))?.user.language, 'de');
      assert.equal((await store.findUser('usr_bob'))?.language, 'pt-BR');
      assert.equal(await store.setLanguage('usr_alice', undefined), true);
      assert.equal((await store.findUserByLogin('alice'))?.user.language, undefined);
    });

    test('a username or e-mail that anybody answers to is taken, in any case and across the two', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(alice, happened('user.added'));
      const outcomes = [];
      for (const changes of [
        { username: 'ALICE' },
        { username: 'x', email: 'alice@EXAMPLE.com' },
        { username: 'alice@example.com' },
        { username: 'y', email: 'alice' },
      ]) {
        outcomes.push(await store.addUser({ ...bob, ...changes }, happened('user.added')));
      }

      assert.deepEqual(outcomes, ['taken', 'taken', 'taken', 'taken']);
      assert.equal((await store.listUsers()).length, 1);
      assert.equal(await countEvents(store, 'user.added'), 1);
    });

    test('of parallel sign-ups for one username exactly one succeeds', async () => {
      const [one, two] = freshTenant(nodes());
      const outcomes = await times(10, (index) => (index % 2 ? one : two).addUser({ ...alice, id: `usr_${index}` }, happened('user.added')));

      assert.equal(count(outcomes, 'added'), 1);
      assert.equal((await one.listUsers()).length, 1);
      assert.equal(await countEvents(one, 'user.added'), 1);
    });

    test('[RT-07] a changed password ends sessions, grants and refresh families of that person, and only theirs', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await store.startSession(session, undefined, happened('user.signed_in'));
      await store.startSession({ ...session, idHash: 'bobs', userId: 'usr_bob' }, undefined, happened('user.signed_in'));

      assert.equal(await store.changePassword('usr_alice', 'hash-2', happened('user.password_changed', NOW + 5)), true);

      assert.equal((await store.findUserByLogin('alice'))?.passwordHash, 'hash-2');
      assert.equal(await store.findSession('session-1', NOW + 5), undefined);
      assert.ok(await store.findSession('bobs', NOW + 5));
      assert.equal((await store.findGrant('grant_1'))?.revokedReason, 'password_changed');
      assert.equal((await store.findFamily('family-1', NOW + 5))?.family.revokedAt, NOW + 5);
      assert.deepEqual(await rotate(store, 'rt-0', 'rt-1', NOW + 6), { outcome: 'dead' });
      assert.equal(await countEvents(store, 'user.password_changed'), 1);
    });

    test('a person without a password may get one, and nobody may not', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(bob, happened('user.added'));

      assert.equal(await store.changePassword('usr_bob', 'hash', happened('user.password_changed')), true);
      assert.equal((await store.findUserByLogin('bob'))?.passwordHash, 'hash');
      assert.equal(await store.changePassword('usr_nobody', 'hash', happened('user.password_changed')), false);
      assert.equal(await countEvents(store, 'user.password_changed'), 1);
    });

    test('a stronger hash replaces the verified one and never a password changed meanwhile', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(alice, happened('user.added'));
      await store.rehashPassword('usr_alice', 'hash-1', 'strong', NOW);
      await store.rehashPassword('usr_alice', 'hash-1', 'late', NOW);

      assert.equal((await store.findUserByLogin('alice'))?.passwordHash, 'strong');
    });

    test('[RT-07] [RT-08] while a person is disabled neither their sessions nor their grants stand', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await store.startSession(session, undefined, happened('user.signed_in'));
      const standing = async () => (await store.standing({ grantId: 'grant_1', jti: 'jti', now: NOW }))?.active;

      assert.equal(await store.setUserDisabled('usr_alice', true, happened('user.disabled')), true);
      assert.equal(await store.setUserDisabled('usr_alice', true, happened('user.disabled')), false);
      assert.equal(await store.findSession('session-1', NOW), undefined);
      assert.equal(await standing(), false);
      assert.deepEqual(await rotate(store, 'rt-0', 'rt-1'), { outcome: 'dead' });
      assert.equal((await store.findUser('usr_alice'))?.disabledAt, NOW);

      assert.equal(await store.setUserDisabled('usr_alice', false, happened('user.enabled')), true);
      assert.equal(await standing(), true);
      assert.deepEqual(await rotate(store, 'rt-0', 'rt-1'), { outcome: 'rotated' });
      assert.deepEqual([await countEvents(store, 'user.disabled'), await countEvents(store, 'user.enabled')], [1, 1]);
    });
  });

  describe('browser sessions', () => {
    test('[LOG-01] a new session ends the one it replaces in the same commit', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(alice, happened('user.added'));
      await store.startSession(session, undefined, happened('user.signed_in'));
      await store.startSession({ ...session, idHash: 'session-2' }, 'session-1', happened('user.signed_in'));

      const found = await store.findSession('session-2', NOW);
      assert.equal(await store.findSession('session-1', NOW), undefined);
      assert.deepEqual(found?.session, { ...session, idHash: 'session-2' });
      assert.equal(found?.user.username, 'Alice');
    });

    test('[LOG-08] a session ends when idle too long and at its absolute end, and a late touch does not wake it', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(alice, happened('user.added'));
      await store.startSession(session, undefined, happened('user.signed_in'));

      await store.touchSession('session-1', NOW + 3000);
      await store.touchSession('session-1', NOW + 2000);
      assert.equal((await store.findSession('session-1', NOW + 6599))?.session.seenAt, NOW + 3000);
      assert.equal(await store.findSession('session-1', NOW + 6600), undefined);

      await store.touchSession('session-1', NOW + 6600);
      assert.equal(await store.findSession('session-1', NOW + 6600), undefined);
      await store.startSession({ ...session, idHash: 'long', idleSeconds: 10 * DAY }, undefined, happened('user.signed_in'));
      assert.ok(await store.findSession('long', NOW + DAY - 1));
      assert.equal(await store.findSession('long', NOW + DAY), undefined);
    });

    const endings: Record<string, (store: Store) => Promise<unknown>> = {
      'a new password by an operator': (store) => store.changePassword('usr_alice', 'new', happened('user.password_changed')),
      'a new password of their own': (store) => store.setPassword({ userId: 'usr_alice', passwordHash: 'new' }, happened('user.password_changed')),
      'one that ends the other sessions': (store) =>
        store.setPassword({ userId: 'usr_alice', passwordHash: 'new', keeping: 'none' }, happened('user.password_changed')),
      'a new password by a link': (store) => store.resetPassword('lnk_reset', 'new', { ...happened('user.password_reset'), userId: 'usr_alice' }),
      'a sign-out everywhere': (store) => store.endSessionsOf('usr_alice', { agents: false }, happened('user.signed_out_everywhere')),
    };
    for (const [what, ending] of Object.entries(endings)) {
      test(`[LOG-01] a sign-in that began before ${what} starts no session and changes nothing; one that begins after it does`, async () => {
        const [store] = freshTenant(nodes());
        await store.addUser(alice, happened('user.added'));
        await store.addUser(bob, happened('user.added'));
        await store.addLink(resetLink, { replaces: false }, happened('user.reset_link_created'));
        await signIn(store, { idHash: 'bobs', userId: 'usr_bob', sid: 'sid-bob' });
        for (let round = 0; round < 2; round++) {
          const epoch = (await store.findUserByLogin('alice'))?.user.sessionEpoch;
          // The second time the link is used up, and nothing has ended.
          const again = round === 1 && what === 'a new password by a link';
          await ending(store);
          const late = { ...session, idHash: `late-${round}`, sid: 'sid-late', epoch, deviceHash: 'device' };

          assert.equal(await store.startSession(late, 'bobs', happened('user.signed_in')), again);
          if (again) return;
          assert.equal(await store.findSession(late.idHash, NOW), undefined);
          assert.equal((await store.findSession('bobs', NOW))?.session.sid, 'sid-bob');
          assert.equal(await store.knowsDevice({ userId: 'usr_alice', deviceHash: 'device' }, NOW), 'first');
          assert.equal(await countEvents(store, 'user.signed_in'), 1 + round);
          assert.equal(await signIn(store, { idHash: `next-${round}` }), true);
        }
      });
    }

    test('[LOG-01] of a sign-in and a new password in one moment no session is left', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addUser(alice, happened('user.added'));
      await two.findUser('usr_alice');
      for (let round = 0; round < 40; round++) {
        const epoch = (await one.findUser('usr_alice'))?.sessionEpoch;
        const change = { userId: 'usr_alice', passwordHash: `hash-${round}`, keeping: 'none' };
        await Promise.all([signIn(one, { idHash: `session-${round}`, epoch }), two.setPassword(change, happened('user.password_changed'))]);
        assert.deepEqual(await one.listSessions('usr_alice', NOW), []);
      }
    });

    test('[LOG-01] neither a person who is disabled nor nobody gets a session', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(alice, happened('user.added'));
      await store.setUserDisabled('usr_alice', true, happened('user.disabled'));

      assert.deepEqual([await signIn(store), await signIn(store, { userId: 'usr_nobody' })], [false, false]);
      await store.setUserDisabled('usr_alice', false, happened('user.enabled'));
      assert.deepEqual([await store.listSessions('usr_alice', NOW), await countEvents(store, 'user.signed_in')], [[], 0]);
    });

    test('[LOG-01] a session is ended once', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addUser(alice, happened('user.added'));
      await one.startSession(session, undefined, happened('user.signed_in'));
      const outcomes = await times(4, (index) => (index % 2 ? one : two).endSession('session-1', happened('user.signed_out')));

      assert.equal(count(outcomes, true), 1);
      assert.equal(await one.findSession('session-1', NOW), undefined);
      assert.equal(await countEvents(one, 'user.signed_out'), 1);
    });
  });

  describe('the first operator and owner tokens', () => {
    test('a setup link makes the operator and their token once, however many follow it at once', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addSetupLink('link', NOW, NOW + 600);
      assert.equal(await one.setupLinkOpen('link', NOW), true);
      const outcomes = await times(8, (index) => {
        const person = { ...operator, id: `usr_${index}`, username: `op${index}` };
        const owned = { ...token, id: `tok_${index}`, tokenHash: `hash-${index}`, userId: person.id };
        return (index % 2 ? one : two).redeemSetupLink('link', person, owned, happened('setup.completed'));
      });

      assert.deepEqual([count(outcomes, 'done'), count(outcomes, 'used')], [1, 7]);
      const [only, ...others] = await one.listUsers();
      assert.equal(others.length, 0);
      assert.deepEqual(await one.findOwner(`hash-${outcomes.indexOf('done')}`, NOW), only);
      assert.equal(await one.hasOperator(), true);
      assert.equal(await one.setupLinkOpen('link', NOW), false);
      assert.equal(await countEvents(one, 'setup.completed'), 1);
    });

    test('a taken username gives the link back, an expired or unknown link makes nobody', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser({ ...alice, username: 'op' }, happened('user.added'));
      await store.addSetupLink('link', NOW, NOW + 600);

      assert.equal(await store.redeemSetupLink('link', operator, token, happened('setup.completed')), 'taken');
      assert.equal(await store.setupLinkOpen('link', NOW), true);
      assert.equal(await store.redeemSetupLink('link', operator, token, happened('setup.completed', NOW + 600)), 'used');
      assert.equal(await store.redeemSetupLink('other', operator, token, happened('setup.completed')), 'used');
      assert.equal(await store.setupLinkOpen('link', NOW + 600), false);
      assert.equal(await store.hasOperator(), false);
      assert.equal(await countEvents(store, 'setup.completed'), 0);
      assert.equal(await store.redeemSetupLink('link', { ...operator, username: 'op2' }, token, happened('setup.completed')), 'done');
      assert.equal((await store.findUserByLogin('op2'))?.passwordHash, 'hash');
    });

    test('of different setup links followed at once one makes the operator, and where there is one no link is open', async () => {
      const [one, two] = freshTenant(nodes());
      const links = ['link-0', 'link-1', 'link-2', 'link-3'];
      const follow = (store: Store, index: number) => {
        const person = { ...operator, id: `usr_${index}`, username: `op${index}` };
        const owned = { ...token, id: `tok_${index}`, tokenHash: `hash-${index}`, userId: person.id };
        return store.redeemSetupLink(`link-${index}`, person, owned, happened('setup.completed'));
      };
      for (const link of links) await one.addSetupLink(link, NOW, NOW + 600);
      const outcomes = await times(4, (index) => follow(index % 2 ? one : two, index));

      assert.deepEqual([count(outcomes, 'done'), count(outcomes, 'used')], [1, 3]);
      assert.deepEqual([(await one.listUsers()).length, (await one.listOwnerTokens()).length], [1, 1]);
      await one.addSetupLink('link-9', NOW, NOW + 600);
      for (const link of [...links, 'link-9']) assert.equal(await two.setupLinkOpen(link, NOW), false);
      assert.equal(await follow(one, 9), 'used');
      assert.equal(await countEvents(one, 'setup.completed'), 1);
      // The others have ended; one that was made since is for whoever comes next.
      await one.setUserDisabled(`usr_${outcomes.indexOf('done')}`, true, happened('user.disabled'));
      const open = [];
      for (const link of [...links, 'link-9']) if (await two.setupLinkOpen(link, NOW)) open.push(link);
      assert.deepEqual([open, await follow(two, 9)], [['link-9'], 'done']);
    });

    test('an owner token stands until it is revoked, expires, or its person is disabled', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(bob, happened('user.added'));
      await store.addOwnerToken({ ...token, userId: 'usr_bob' }, happened('owner_token.created'));

      assert.equal((await store.findOwner('token-hash', NOW))?.id, 'usr_bob');
      assert.equal(await store.findOwner('token-hash', NOW + DAY), undefined);
      await store.setUserDisabled('usr_bob', true, happened('user.disabled'));
      assert.equal(await store.findOwner('token-hash', NOW), undefined);
      await store.setUserDisabled('usr_bob', false, happened('user.enabled'));
      assert.deepEqual(
        [await store.revokeOwnerToken('tok_1', happened('owner_token.revoked')), await store.revokeOwnerToken('tok_1', happened('owner_token.revoked'))],
        [true, false],
      );
      assert.equal(await store.findOwner('token-hash', NOW), undefined);
      assert.deepEqual(await store.listOwnerTokens(), [{ ...token, userId: 'usr_bob', revokedAt: NOW }]);
      assert.deepEqual([await countEvents(store, 'owner_token.created'), await countEvents(store, 'owner_token.revoked')], [1, 1]);
    });

    test('nobody gets no owner token', async () => {
      const [store] = freshTenant(nodes());

      await assert.rejects(store.addOwnerToken(token, happened('owner_token.created')), ConstraintError);
      assert.equal(await countEvents(store, 'owner_token.created'), 0);
    });
  });

  describe('guessing', () => {
    test('[LOG-05] three tries are free, then each waits twice as long, up to fifteen minutes', async () => {
      const [store] = freshTenant(nodes());
      const waits: number[] = [];
      let now = NOW;
      for (let tried = 0; tried < 3; tried++) assert.deepEqual(await store.attempt('account', now), { allowed: true });
      for (let round = 0; round < 12; round++) {
        const blocked = await store.attempt('account', now);
        assert.ok(!blocked.allowed);
        waits.push(blocked.retryAfter);
        now += blocked.retryAfter;
        assert.deepEqual(await store.attempt('account', now), { allowed: true });
      }

      assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    });

    test('[LOG-05] blocked tries are refused without counting, and parallel guesses do not share one try', async () => {
      const [one, two] = freshTenant(nodes());
      const outcomes = await times(30, (index) => (index % 2 ? one : two).attempt('account', NOW));

      assert.equal(outcomes.filter(({ allowed }) => allowed).length, 3);
      assert.deepEqual(await one.attempt('account', NOW), { allowed: false, retryAfter: 1 });
      assert.deepEqual(await one.attempt('account', NOW + 1), { allowed: true });
      assert.deepEqual(await one.attempt('account', NOW + 1), { allowed: false, retryAfter: 2 });
      assert.deepEqual(await one.attempt('another', NOW), { allowed: true });
    });

    test('[LOG-05] a success, or a quiet day, forgives', async () => {
      const [store] = freshTenant(nodes());
      await times(4, () => store.attempt('account', NOW));
      await store.forgiveAttempts('account');
      assert.deepEqual(await store.attempt('account', NOW), { allowed: true });

      await times(4, () => store.attempt('quiet', NOW));
      const later = await times(4, () => store.attempt('quiet', NOW + DAY));
      assert.equal(later.filter(({ allowed }) => allowed).length, 3);
    });
  });
}
