/** Forms of the way in: signing in by every method, choosing among accounts, signing out. */
import assert from 'node:assert/strict';
import { codeIn } from '../../server/test/flows/mail-stage.ts';
import { setUpApp } from '../../server/test/flows/second-step-stage.ts';
import { addTo, issuer, password, passwordless } from '../stand.ts';
import { appCode, askedToSignUp, cameFromUpstream, headed, newAddress, startingWith, twoAccounts } from './scenes.ts';
import type { FormStory } from './story.ts';

export const signingIn: readonly FormStory[] = [
  {
    name: 'sign in with a password',
    button: 'form[action="/login"] button[type=submit]:not([formaction])',
    stranger: true,
    at: '/login',
    hands: ({ user }) => [
      ['#username', user.username],
      ['#password', password],
      ['input[name=keep]', 'Space'],
    ],
    effect: ({ page }) => page.waitForURL(`${issuer}/account/agents`),
  },
  {
    name: 'ask for a code by mail',
    button: 'button[formaction="/login/code"]',
    stranger: true,
    at: '/login',
    hands: ({ user }) => [['#username', user.username]],
    effect: async ({ world, user, page }) => {
      await page.waitForURL(/\/code\?/);
      assert.match(codeIn(await world.mailTo(user.email ?? '')), /\d/);
    },
  },
  {
    name: 'ask for a code where there are no passwords',
    button: 'form[action="/t/codes/login"] button[formaction="/t/codes/login/code"]',
    stranger: true,
    given: async ({ world, user }) => addTo(await passwordless(world), user.username),
    at: '/t/codes/login',
    hands: ({ user }) => [
      ['#username', user.username],
      ['input[name=keep]', 'Space'],
    ],
    effect: async ({ world, user, page }) => {
      await page.waitForURL(/\/t\/codes\/code\?/);
      assert.match(codeIn(await world.mailTo(`${user.username}@codes.example`, 'codes')), /\d/);
    },
  },
  {
    name: 'enter the code of a mail',
    button: 'form[action="/code"] button',
    stranger: true,
    at: async (scene) => (await askedToSignUp(scene)).url,
    hands: async (scene) => [['#code', codeIn(await scene.world.mailTo(newAddress(scene)))]],
    effect: ({ page }) => page.waitForURL(/\/signup\/account/),
  },
  {
    name: 'enter a code of an app',
    button: 'form[action="/login/second"] button',
    stranger: true,
    at: async ({ world, user, ahead }) => {
      await setUpApp(world, user.id);
      return (await ahead.submit(await ahead.open('/login'), { username: user.username, password })).url;
    },
    hands: ({ world }) => [['#code', appCode(world, Buffer.from('12345678901234567890'))]],
    effect: ({ page }) => page.waitForURL(`${issuer}/account/agents`),
  },
  {
    name: 'go to an upstream',
    button: 'form[action="/login/upstream"] button',
    stranger: true,
    at: '/login',
    effect: ({ acme, sentTo }) => sentTo(startingWith(`${acme.issuer}/authorize?`)),
  },
  {
    name: 'make an account for who came from an upstream',
    button: 'form[action="/login/first-time"] button',
    stranger: true,
    at: (scene) => cameFromUpstream(scene, '/login'),
    effect: async ({ world, acme, user, page }) => {
      await page.waitForURL(`${issuer}/account/agents`);
      assert.ok(await world.store.findUpstreamUser(acme.issuer, `subject of ${user.id}`));
    },
  },
  ...(['link', 'not-now'] as const).map(
    (decision): FormStory => ({
      name: `${decision} who one is at an upstream`,
      button: `form[action="/account/link"] button[value=${decision}]`,
      at: (scene) => cameFromUpstream(scene, '/account/security'),
      effect: async ({ world, user, page }) => {
        await page.waitForURL((url) => url.pathname !== '/account/link');
        assert.equal((await world.store.listUpstreamIdentities(user.id)).length, decision === 'link' ? 1 : 0);
      },
    }),
  ),
  {
    name: 'ask for access to a server',
    button: 'form[action="/account/ask"] button',
    at: '/account/ask?server=srv_staff',
    hands: () => [['#message', 'For the report.']],
    effect: async ({ world, user, page }) => {
      await page.getByText('You asked on').waitFor();
      assert.equal((await world.store.findAccessRequest({ serverId: 'srv_staff', userId: user.id }, world.clock.now()))?.message, 'For the report.');
    },
  },
  {
    name: 'choose an account',
    button: '.accounts button[name=use]',
    given: twoAccounts,
    at: '/login/accounts',
    effect: ({ page }) => page.waitForURL(`${issuer}/account/agents`),
  },
  {
    name: 'sign one account out',
    button: '.accounts button[name=sign_out]',
    given: twoAccounts,
    at: '/login/accounts',
    effect: ({ page }) => page.locator('.accounts li').nth(1).waitFor({ state: 'detached' }),
  },
  {
    name: 'sign all accounts out',
    button: 'form[action="/login/accounts"] button[value=all]',
    given: twoAccounts,
    at: '/login/accounts',
    effect: ({ page }) => page.waitForURL(/\/login\?switch=new$/),
  },
  {
    name: 'sign out',
    button: 'form[action="/logout"] button:not([name])',
    at: '/logout',
    effect: async ({ world, user, page }) => {
      await headed(page, 'You are signed out');
      assert.deepEqual(await world.store.listSessions(user.id, world.clock.now()), []);
    },
  },
  {
    name: 'sign out of all accounts',
    button: 'form[action="/logout"] button[name=all]',
    given: twoAccounts,
    at: '/logout',
    effect: async ({ page }) => {
      await headed(page, 'You are signed out');
      await page.goto(`${issuer}/login/accounts`);
      assert.match(page.url(), /\/login\?switch=new$/);
    },
  },
];
