/** Forms on one's own account: profile, address, ways to sign in, sessions. */
import assert from 'node:assert/strict';
import { auditEvent } from '../../server/src/audit/event.ts';
import { linkIn } from '../../server/test/flows/mail-stage.ts';
import { setUpApp } from '../../server/test/flows/second-step-stage.ts';
import { issuer } from '../stand.ts';
import { appCode, connected, freshUser, fromBase32, grantsOf, newPassword, passkeyOf, startingWith } from './scenes.ts';
import type { FormStory } from './story.ts';

export const account: readonly FormStory[] = [
  {
    name: 'choose a language',
    button: 'form[action="/language"] button',
    stranger: true,
    at: '/login',
    hands: () => [['#language', 'Deutsch']],
    effect: ({ page }) => page.locator('html[lang=de]').waitFor(),
  },
  {
    name: 'save the name',
    button: 'form[action="/account/profile"] button',
    at: '/account/profile',
    hands: () => [['#name', 'Ada King']],
    effect: async (scene) => {
      await scene.page.locator('.done[role=status]').waitFor();
      assert.equal((await freshUser(scene)).name, 'Ada King');
    },
  },
  {
    name: 'ask for another e-mail address',
    button: 'form[action="/account/email"] button',
    at: '/account/email',
    hands: ({ user }) => [['#email', `other-${user.username}@acme.example`]],
    effect: async ({ world, user, page }) => {
      await page.locator('.done[role=status]').waitFor();
      assert.match(linkIn(await world.mailTo(`other-${user.username}@acme.example`)), /\/account\/email\/confirm\?token=/);
    },
  },
  {
    name: 'use the other e-mail address',
    button: 'form[action="/account/email/confirm"] button',
    at: async ({ world, user, ahead }) => {
      await ahead.submit(await ahead.open('/account/email'), { email: `new-${user.username}@acme.example` });
      return linkIn(await world.mailTo(`new-${user.username}@acme.example`));
    },
    effect: async (scene) => {
      await scene.page.getByText('is changed').first().waitFor();
      assert.equal((await freshUser(scene)).email, `new-${scene.user.username}@acme.example`);
    },
  },
  {
    name: 'delete the account',
    button: 'form[action="/account/delete"] button',
    at: '/account/delete',
    hands: ({ user }) => [['#username', user.username]],
    effect: async ({ world, user, page }) => {
      await page.locator('form[action="/account/delete"]').waitFor({ state: 'detached' });
      assert.equal(await world.store.findUserByLogin(user.username), undefined);
    },
  },
  {
    name: 'change the password',
    button: 'form[action="/account/security/password"] button[type=submit]',
    at: '/account/security/password',
    hands: () => [['#password', newPassword]],
    effect: ({ page }) => page.waitForURL(/\/account\/security\?/),
  },
  {
    name: 'remove the password',
    button: 'form[action="/account/security/password/remove"] button',
    given: passkeyOf,
    at: '/account/security',
    effect: async (scene) => {
      await scene.page.waitForURL(/\/account\/security\?/);
      assert.equal((await scene.world.store.findUserByLogin(scene.user.username))?.passwordHash, undefined);
    },
  },
  {
    name: 'turn the second step on',
    button: 'form[action="/account/security/two-step"] button',
    at: '/account/security/two-step',
    hands: async ({ world, page }) => [['#code', appCode(world, fromBase32((await page.locator('#key').textContent()) ?? ''))]],
    effect: async ({ world, user, page }) => {
      await page.locator('#codes').waitFor();
      assert.ok(await world.store.findSecondFactor(user.id));
    },
  },
  {
    name: 'make new recovery codes',
    button: 'form[action="/account/security/two-step/codes"] button',
    given: ({ world, user }) => setUpApp(world, user.id),
    at: '/account/security',
    effect: ({ page }) => page.locator('#codes').waitFor(),
  },
  {
    name: 'turn the second step off',
    button: 'form[action="/account/security/two-step/remove"] button',
    given: ({ world, user }) => setUpApp(world, user.id),
    at: '/account/security',
    effect: async ({ world, user, page }) => {
      await page.waitForURL(/\/account\/security\?/);
      assert.equal(await world.store.findSecondFactor(user.id), undefined);
    },
  },
  {
    name: 'name a passkey',
    button: 'form[action="/account/security/passkeys/rename"] button',
    given: passkeyOf,
    at: '/account/security',
    hands: () => [
      ['#passkeys summary', 'Enter'],
      ['#passkeys input[name=name]', 'Green key'],
    ],
    effect: async ({ world, user, page }) => {
      await page.waitForURL(/\/account\/security\?/);
      assert.equal((await world.store.listPasskeys(user.id))[0]?.name, 'Green key');
    },
  },
  {
    name: 'remove a passkey',
    button: 'form[action="/account/security/passkeys/remove"] button',
    given: passkeyOf,
    at: '/account/security',
    effect: async ({ world, user, page }) => {
      await page.waitForURL(/\/account\/security\?/);
      assert.deepEqual(await world.store.listPasskeys(user.id), []);
    },
  },
  {
    name: 'put the offer of a passkey off',
    button: 'form[action="/account/security/passkeys/later"] button',
    at: '/account',
    effect: async ({ world, user, page }) => {
      await page.waitForURL(`${issuer}/account/agents`);
      assert.equal(await world.store.hasDismissed(user.id, 'passkey'), true);
    },
  },
  {
    name: 'link another upstream',
    button: 'form[action="/account/security/upstreams/link"] button',
    at: '/account/security',
    effect: ({ acme, sentTo }) => sentTo(startingWith(`${acme.issuer}/authorize?`)),
  },
  {
    name: 'unlink an upstream',
    button: 'form[action="/account/security/upstreams/unlink"] button',
    at: async ({ world, acme, user }) => {
      const identity = { issuer: acme.issuer, subject: `subject of ${user.id}`, upstreamId: 'acme', userId: user.id, createdAt: world.clock.now() };
      await world.store.linkUpstream(identity, auditEvent('upstream.linked', world.clock.now(), 'test'));
      return '/account/security';
    },
    effect: async ({ world, user, page }) => {
      await page.waitForURL(/\/account\/security\?/);
      assert.deepEqual(await world.store.listUpstreamIdentities(user.id), []);
    },
  },
  {
    name: 'end another session',
    button: 'form[action="/account/security/sessions/end"] button',
    given: ({ world, user }) => world.session(user.username),
    at: '/account/security',
    effect: async ({ world, user, page }) => {
      await page.waitForURL(/\/account\/security\?/);
      assert.equal((await world.store.listSessions(user.id, world.clock.now())).length, 1);
    },
  },
  {
    name: 'end all sessions, and what agents may do',
    button: 'form[action="/account/security/sessions/end-all"] button',
    given: (scene) => connected(scene),
    at: '/account/security',
    hands: () => [['input[name=agents]', 'Space']],
    effect: async (scene) => {
      await scene.page.waitForURL((url) => url.pathname !== '/account/security');
      assert.deepEqual(await scene.world.store.listSessions(scene.user.id, scene.world.clock.now()), []);
      assert.equal((await grantsOf(scene)).length, 0);
    },
  },
];
