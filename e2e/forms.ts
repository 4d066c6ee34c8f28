/**
 * Every form of the pages, by the button that sends it: how somebody comes to it (by the store and the wire, not by clicking), what hands do on it, and what must have come
 * of it. forms.test.ts walks the table; pages.test.ts refuses a form that is not in it. Not here: what the pages look like (gallery.ts).
 */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { makeInvitation, makeResetLink } from '../server/src/account/operator-links.ts';
import { makeSetupLink } from '../server/src/account/setup.ts';
import { auditEvent } from '../server/src/audit/event.ts';
import { codeOfStep } from '../server/src/crypto/totp.ts';
import type { Grant, User } from '../server/src/storage/store.ts';
import { type Browser as Ahead, type Page as PageAhead, signInAndDecide } from '../server/test/browser.ts';
import { codeIn, linkIn } from '../server/test/flows/mail-stage.ts';
import { setUpApp } from '../server/test/flows/second-step-stage.ts';
import type { Provider } from '../server/test/upstream-provider.ts';
import { hostedOrigin } from './callbacks.ts';
import { addTo, issuer, password, passwordless, type Stand } from './stand.ts';

/** Somebody of their own in front of one form. */
export type Scene = {
  world: Stand;
  /** Where people may sign in elsewhere. */
  acme: Provider;
  user: User;
  /** The same browser before its window opens, without the pages: its cookies go with it. */
  ahead: Ahead;
  page: Page;
  /** Resolves to the address that the window was sent to. */
  sentTo(pattern: RegExp): Promise<string>;
};

export type FormStory = {
  name: string;
  /** The button that sends the form. */
  button: string;
  /** Nobody is signed in. */
  stranger?: true;
  /** With JavaScript there is nothing to press. */
  onlyWithoutScript?: true;
  /** What has happened before. */
  given?(scene: Scene): Promise<unknown>;
  /** Where the form is. */
  at: string | ((scene: Scene) => string | Promise<string>);
  /** From there to the form, where it has no address of its own. */
  onward?(scene: Scene): Promise<unknown>;
  /** Keys at a control, in the order of the page: a name of a key, or what is typed in place of what stands there. */
  hands?(scene: Scene): readonly Hand[] | Promise<readonly Hand[]>;
  effect(scene: Scene): Promise<unknown>;
};
export type Hand = readonly [control: string, keys: string];

/** What posts and has no row here, and why: forms that no button of their own sends, and routes that no form posts to. */
export const otherForms: Readonly<Record<string, string>> = {
  'form[action$="/account/security/passkeys"]': 'only script can ask an authenticator; e2e/passkeys.test.ts',
};
export const otherRoutes: Readonly<Record<string, string>> = {
  '/authorize': 'clients post to it',
  '/oauth/authorize': 'another name of /authorize',
  '/login/passkey': 'asked by script; e2e/passkeys.test.ts',
  '/account/security/passkeys': 'sent by script; e2e/passkeys.test.ts',
  '/account/security/passkeys/request': 'asked by script; e2e/passkeys.test.ts',
};

const newPassword = 'seven quiet otters sing';
const stays = { redirect_uri: `${hostedOrigin}/stay`, scope: 'files:read' };

export const formStories: readonly FormStory[] = [
  // signing in
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
    button: 'form[action="/login/accounts"] > button[value=all]',
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

  // coming in
  {
    name: 'ask for an account',
    button: 'form[action="/signup"] button',
    stranger: true,
    at: '/signup',
    hands: (scene) => [['#email', newAddress(scene)]],
    effect: async (scene) => {
      await scene.page.waitForURL(/\/code\?/);
      assert.match(codeIn(await scene.world.mailTo(newAddress(scene))), /\d/);
    },
  },
  {
    name: 'make an account',
    button: 'form[action="/signup/account"] button[type=submit]',
    stranger: true,
    at: async (scene) => {
      const { ahead, world } = scene;
      return (await ahead.submit(await askedToSignUp(scene), { code: codeIn(await world.mailTo(newAddress(scene))) })).url;
    },
    hands: () => [
      ['#name', 'Lin'],
      ['#password', newPassword],
    ],
    effect: (scene) => accountMade(scene, newAddress(scene)),
  },
  {
    name: 'accept an invitation',
    button: 'form[action="/invite"] button[type=submit]',
    stranger: true,
    at: (scene) => makeInvitation({ email: newAddress(scene), role: 'user' }, scene.world.context),
    hands: () => [
      ['#name', 'Guest'],
      ['#password', newPassword],
    ],
    effect: (scene) => accountMade(scene, newAddress(scene)),
  },
  {
    name: 'accept an invitation with an account elsewhere',
    button: 'form[action="/invite/upstream"] button',
    stranger: true,
    at: (scene) => makeInvitation({ email: newAddress(scene), role: 'user' }, scene.world.context),
    effect: ({ acme, sentTo }) => sentTo(startingWith(`${acme.issuer}/authorize?`)),
  },
  {
    name: 'accept an invitation where there are no passwords',
    button: 'form[action="/t/codes/invite"] button[type=submit]',
    stranger: true,
    at: async (scene) => makeInvitation({ email: newAddress(scene), role: 'user' }, await passwordless(scene.world)),
    hands: () => [['#name', 'Guest']],
    effect: async (scene) => {
      await scene.page.waitForURL(`${issuer}/t/codes/account/agents`);
      const found = await (await passwordless(scene.world)).store.findUserByLogin(newAddress(scene));
      assert.deepEqual([found?.user.name, found?.passwordHash], ['Guest', undefined]);
    },
  },
  {
    name: 'set the service up where there are no passwords',
    button: 'form[action="/t/codes/setup"] button[type=submit]',
    stranger: true,
    at: async ({ world }) => makeSetupLink(await passwordless(world)),
    hands: (scene) => [
      ['#username', `operator-${scene.user.username}`],
      ['#email', newAddress(scene)],
    ],
    effect: async ({ world, user, page }) => {
      await page.locator('#owner-token').waitFor();
      assert.equal((await (await passwordless(world)).store.findUserByLogin(`operator-${user.username}`))?.user.role, 'operator');
    },
  },
  {
    name: 'set the service up',
    button: 'form[action="/setup"] button[type=submit]',
    stranger: true,
    at: ({ world }) => makeSetupLink(world.context),
    hands: (scene) => [
      ['#username', `operator-${scene.user.username}`],
      ['#email', newAddress(scene)],
      ['#password', newPassword],
    ],
    effect: async ({ world, user, page }) => {
      await page.locator('#owner-token').waitFor();
      assert.equal((await world.store.findUserByLogin(`operator-${user.username}`))?.user.role, 'operator');
    },
  },
  {
    name: 'ask for a new password',
    button: 'form[action="/reset"]:has(input:not([readonly])#username) button',
    stranger: true,
    at: '/reset',
    hands: ({ user }) => [['#username', user.username]],
    effect: async ({ world, user, page }) => {
      await page.waitForURL(`${issuer}/reset/sent`);
      assert.match((await world.mailTo(user.email ?? '')).text, /\/reset\?token=/);
    },
  },
  {
    name: 'choose a new password',
    button: 'form[action="/reset"]:has(#password) button[type=submit]',
    stranger: true,
    at: ({ world, user }) => makeResetLink(user, world.context),
    hands: () => [['#password', newPassword]],
    effect: ({ page }) => page.waitForURL(/\/reset\/done/),
  },

  // deciding
  {
    name: 'allow, with a box and a duration',
    button: 'form[action="/consent"] button[value=allow]',
    at: ({ world }) => world.url({ ...stays, scope: 'files:read files:write offline_access' }),
    hands: () => [
      ['input[name=scope][value="files:write"]', 'Space'],
      ['input[name=duration]', 'ArrowDown'],
    ],
    effect: async (scene) => {
      await scene.sentTo(/\/stay\?.*code=ac_/);
      const grant = await onlyGrant(scene);
      assert.deepEqual(grant.scope.toSorted(), ['files:read', 'files:write', 'offline_access']);
      assert.ok(grant.expiresAt !== undefined, 'the duration was not chosen');
    },
  },
  {
    name: 'deny',
    button: 'form[action="/consent"] button[value=deny]',
    at: ({ world }) => world.url(stays),
    effect: async (scene) => {
      await scene.sentTo(/\/stay\?.*error=access_denied/);
      assert.equal((await grantsOf(scene)).length, 0);
    },
  },
  {
    name: 'resume on the way',
    button: 'form[action="/consent"] button[value=resume]',
    at: async (scene) => {
      await paused(scene, await connected(scene));
      return scene.world.url(stays);
    },
    effect: async (scene) => {
      await headed(scene.page, /^Reconnect/);
      assert.equal((await onlyGrant(scene)).pausedAt, undefined);
    },
  },
  {
    name: 'one more minute to carry a code',
    button: 'form[action="/authorize/return"] button',
    at: async ({ world, ahead }) => {
      const asked = await ahead.open(world.url({ scope: 'files:read' }));
      return (await ahead.submit(asked, { hand_off: '1' }, 'allow')).url;
    },
    effect: async ({ page }) => {
      await page.locator('form[action="/authorize/return"]').waitFor({ state: 'detached' });
      await page.locator('#command').waitFor();
    },
  },
  {
    name: 'post the answer to the agent',
    button: 'form:not([action^="/"]) button',
    onlyWithoutScript: true,
    at: async ({ world, ahead }) => (await ahead.submit(await ahead.open(world.url({ ...stays, response_mode: 'form_post' })), {}, 'allow')).url,
    effect: ({ sentTo }) => sentTo(startingWith(`${hostedOrigin}/stay`)),
  },
  {
    name: 'enter the code of a device',
    button: 'form[action="/device"]:has(#user_code) button',
    at: '/device',
    hands: async ({ world }) => [['#user_code', (await world.device(world.approved.id, 'files:read')).user_code.toLowerCase()]],
    effect: ({ page }) => headed(page, /^Does your device show/),
  },
  ...(['allow', 'deny'] as const).map(
    (decision): FormStory => ({
      name: `${decision} a device`,
      button: `form[action="/device"] button[value=${decision}]`,
      at: async ({ world }) => `/device?user_code=${(await world.device(world.approved.id, 'files:read')).user_code}`,
      onward: async ({ page }) => {
        await page.locator('form[action="/device"] button').click();
        await headed(page, /^Does your device show/);
      },
      effect: async (scene) => {
        await headed(scene.page, decision === 'allow' ? 'Connected' : 'Nothing was shared');
        assert.equal((await grantsOf(scene)).length, decision === 'allow' ? 1 : 0);
      },
    }),
  ),

  // agents
  {
    name: 'pause an agent',
    button: 'form[action="/account/agents/pause"] button',
    given: (scene) => connected(scene),
    at: '/account/agents',
    effect: async (scene) => {
      await said(scene.page, 'cannot act until you resume it');
      assert.ok((await onlyGrant(scene)).pausedAt);
    },
  },
  {
    name: 'resume an agent',
    button: 'form[action="/account/agents/resume"] button',
    at: async (scene) => {
      await paused(scene, await connected(scene));
      return '/account/agents';
    },
    effect: async (scene) => {
      await said(scene.page, 'can act for you');
      assert.equal((await onlyGrant(scene)).pausedAt, undefined);
    },
  },
  {
    name: 'disconnect an agent',
    button: 'form[action="/account/agents/disconnect"] button',
    given: (scene) => connected(scene),
    at: '/account/agents',
    effect: async (scene) => {
      await said(scene.page, 'lost access');
      assert.equal((await grantsOf(scene)).length, 0);
    },
  },
  {
    name: 'pause all agents',
    button: 'form[action="/account/agents/pause-all"] button',
    given: (scene) => connected(scene),
    at: '/account/agents',
    effect: async (scene) => {
      await said(scene.page, 'All agents are paused.');
      assert.ok((await freshUser(scene)).agentsPausedAt);
    },
  },
  {
    name: 'resume all agents',
    button: 'form[action="/account/agents/resume-all"] button',
    at: async (scene) => {
      const { world, user } = scene;
      await connected(scene);
      await world.store.pauseAllAgents(user.id, auditEvent('grant.paused', world.clock.now(), 'test'));
      return '/account/agents';
    },
    effect: async (scene) => {
      await scene.page.waitForURL(/done=all/);
      assert.equal((await freshUser(scene)).agentsPausedAt, undefined);
    },
  },
  {
    name: 'disconnect all agents',
    button: 'form[action="/account/agents/disconnect-all"] button',
    given: (scene) => connected(scene),
    at: '/account/agents/disconnect-all',
    effect: async (scene) => {
      await scene.page.waitForURL(/done=all/);
      assert.equal((await grantsOf(scene)).length, 0);
    },
  },
  {
    name: 'reduce what an agent may do',
    button: 'form[action="/account/agents/reduce"] button',
    at: async (scene) => `/account/agents/reduce?grant=${(await connected(scene, { scope: 'files:read files:write' })).id}`,
    hands: () => [['input[name=scope][value="files:write"]', 'Space']],
    effect: async (scene) => {
      await said(scene.page, 'has only what you left it');
      assert.ok(!(await onlyGrant(scene)).scope.includes('files:write'));
    },
  },
  {
    name: 'show only some agents',
    button: 'form[action="/account/agents"].filter button',
    given: fourAgents,
    at: '/account/agents',
    hands: () => [['input[name=unused]', 'Space']],
    effect: ({ page }) => page.waitForURL(/[?&]unused=1/),
  },
  {
    name: 'show only some activity',
    button: 'form[action="/account/activity"] button',
    at: '/account/activity',
    hands: () => [['#result', 'ArrowDown']],
    effect: ({ page }) => page.waitForURL(/[?&]result=allowed/),
  },
  {
    name: 'say that it was not oneself',
    button: 'form[action="/account/activity/not-me"] button',
    at: async (scene) => {
      const { context, clock } = scene.world;
      const { id: grantId } = await connected(scene);
      context.activity.add({ serverId: 'srv_files', grantId }, { action: 'read_file', outcome: 'allowed', missing: [], times: 1 }, clock.now());
      await context.activity.flush();
      return '/account/activity';
    },
    effect: async (scene) => {
      await scene.page.locator('.done[role=status]').waitFor();
      assert.ok((await onlyGrant(scene)).pausedAt);
    },
  },

  // the account
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

function startingWith(address: string): RegExp {
  return new RegExp(`^${address.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`);
}

async function headed(page: Page, name: string | RegExp): Promise<void> {
  await page.getByRole('heading', { name, level: 1 }).waitFor();
}

async function said(page: Page, text: string): Promise<void> {
  await page.getByText(text).first().waitFor();
}

function newAddress({ user }: Scene): string {
  return `new-${user.username}@acme.example`;
}

async function accountMade({ world, page }: Scene, email: string): Promise<void> {
  await page.waitForURL(`${issuer}/account/agents`);
  assert.ok((await world.store.findUserByLogin(email))?.passwordHash);
}

async function askedToSignUp(scene: Scene): Promise<PageAhead> {
  return scene.ahead.submit(await scene.ahead.open('/signup'), { email: newAddress(scene) });
}

let lastArrival: Promise<unknown> = Promise.resolve();

/** Goes to the upstream from a page of ours and agrees there, one after the other: it has one person at a time. Resolves to the page where the answer leads. */
function cameFromUpstream({ acme, user, ahead }: Scene, path: string): Promise<string> {
  const sub = `subject of ${user.id}`;
  const arrival = lastArrival.then(async () => {
    Object.assign(acme, { claims: { sub }, userinfo: { ...acme.userinfo, sub, email: `${user.id}@hopper.example` } });
    const left = await ahead.submit(await ahead.open(path), {}, 'acme');
    return (await ahead.open(acme.agree(left.refresh ?? ''))).url;
  });
  lastArrival = arrival.catch(() => undefined);
  return arrival;
}

async function twoAccounts({ world, ahead }: Scene): Promise<void> {
  const other = await world.somebody();
  await ahead.submit(await ahead.open('/login?switch=new'), { username: other, password });
}

async function connected(scene: Scene, more: Record<string, string> = {}): Promise<Grant> {
  const { world, user, ahead } = scene;
  const request: Record<string, string> = { ...stays, ...more };
  const callback = await signInAndDecide(world.url(request), { username: user.username, password, decision: 'allow' }, { browser: ahead });
  await world.redeem(new URL(callback), request['client_id'] ?? world.approved.id);
  return (await grantsOf(scene))[0] ?? assert.fail('nothing was connected');
}

async function fourAgents(scene: Scene): Promise<void> {
  for (const name of ['Goose', 'Cline', 'Zed', 'Roo']) await connected(scene, { client_id: await scene.world.register(name, [stays.redirect_uri]) });
}

async function paused({ world, user }: Scene, { id }: Grant): Promise<void> {
  await world.store.pauseAgent(user.id, id, auditEvent('grant.paused', world.clock.now(), 'test'));
}

function grantsOf({ world, user }: Scene): Promise<Grant[]> {
  return world.store.listGrants({ userId: user.id }, world.clock.now());
}

async function onlyGrant(scene: Scene): Promise<Grant> {
  const grants = await grantsOf(scene);
  assert.equal(grants.length, 1);
  return grants[0] as Grant;
}

async function freshUser({ world, user }: Scene): Promise<User> {
  return (await world.store.findUserByLogin(user.username))?.user ?? assert.fail('they are gone');
}

async function passkeyOf({ world, user }: Scene): Promise<void> {
  const now = world.clock.now();
  const plain = { userId: user.id, userHandle: user.id, publicKey: 'none', counter: 0, transports: [], backedUp: true, backupEligible: true, createdAt: now };
  await world.store.addPasskey({ ...plain, id: `pk_${user.id}`, credentialId: user.id, aaguid: 'unknown' }, auditEvent('passkey.added', now, 'test'));
}

function appCode(world: Stand, secret: Buffer): string {
  return codeOfStep(secret, Math.floor(world.clock.now() / 30));
}

/** The bytes of a key as people type it (RFC 4648 §6). */
export function fromBase32(key: string): Buffer {
  const bits = [...key.replaceAll(/\s/g, '')].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'));
  return Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
