/**
 * Every page there is, each reached the way a person reaches it. The list is walked once by pages.test.ts, which looks at each in both colour schemes and at
 * 320 pixels. Not here: what must hold for a page (pages.test.ts).
 */
import type { Page } from 'playwright-core';
import { makeInvitation, makeResetLink } from '../server/src/account/operator-links.ts';
import { makeSetupLink } from '../server/src/account/setup.ts';
import { auditEvent } from '../server/src/audit/event.ts';
import { codeOfStep } from '../server/src/crypto/totp.ts';
import { codeIn, linkIn } from '../server/test/flows/mail-stage.ts';
import { setUpApp } from '../server/test/flows/second-step-stage.ts';
import { pkce } from '../server/test/harness.ts';
import { queueMail } from '../server/test/queue-mail.ts';
import { allow, deny, signIn } from './browser.ts';
import { hostedOrigin } from './callbacks.ts';
import { fromBase32 } from './forms/scenes.ts';
import {
  addPasswordless,
  addTo,
  cursorScheme,
  documentId,
  firstLink,
  issuer,
  notesResource,
  password,
  passwordless,
  type Stand,
  speakerId,
  staffResource,
} from './stand.ts';

export type Shown = {
  /** Name of the picture. */
  name: string;
  /** What the tab says first, so that nobody looks at the wrong page. */
  title: RegExp;
  /** Starts with a session of this person. */
  as?: string;
  go(page: Page): Promise<unknown>;
};

const asked = `/logout?${new URLSearchParams({ client_id: 'client_approved', post_logout_redirect_uri: `${hostedOrigin}/stay`, state: 'x' })}`;
const through = { client_id: speakerId, redirect_uri: `${hostedOrigin}/stay`, resource: notesResource, scope: 'notes:read' };
const severalScopes = 'openid email files:read files:write files:delete notes:read mail:send offline_access';
const everything = 'openid profile email files:read files:write files:delete offline_access';

/** The pages in the order of the story. `ada` has agents already, `ida` has none; who changes something is somebody of their own, for they act side by side. */
export function gallery(world: Stand): Shown[] {
  const at =
    (parameters: Record<string, string> = {}) =>
    (page: Page) =>
      page.goto(world.url(parameters));
  const several = (parameters: Record<string, string>) => (page: Page) => page.goto(`${world.url(parameters)}&resource=${encodeURIComponent(notesResource)}`);
  const document = { client_id: documentId, redirect_uri: 'http://localhost:3000/callback' };
  const stays = { redirect_uri: `${hostedOrigin}/stay` };
  const path = (where: string) => (page: Page) => page.goto(issuer + where);
  const dynamic = async (name = 'Claude Code', redirectUri = 'https://agent-hub.example.net/oauth/callback') => ({
    client_id: await world.register(name, [redirectUri]),
    redirect_uri: redirectUri,
  });

  async function turnOn(page: Page): Promise<void> {
    const key = (await page.locator('#key').textContent()) ?? '';
    await page.getByLabel('The six digits').fill(codeOfStep(fromBase32(key), Math.floor(world.clock.now() / 30)));
    await page.getByRole('button', { name: 'Turn on' }).click();
    await page.locator('#codes').waitFor();
  }

  return [
    { name: 'home', title: /^Manage your agents/, go: path('/') },
    { name: 'home-signed-in', title: /^Manage your agents/, as: 'ada', go: path('/') },
    { name: 'sign-in', title: /^Sign in/, go: path('/login') },
    { name: 'not-set-up', title: /^This service isn't set up yet/, go: path('/t/empty/login') },
    { name: 'sign-in-without-password', title: /^Sign in/, go: path('/t/codes/login') },
    {
      name: 'sign-in-without-password-no-name',
      title: /^Sign in/,
      go: (page) => askForCode(page, '', '/t/codes/login').then(() => page.getByRole('alert').waitFor()),
    },
    { name: 'security-without-password', title: /^Sign-in and sessions/, go: codeThere },
    {
      name: 'confirm-without-password',
      title: /^Confirm it's you/,
      go: (page) => codeThere(page).then(() => page.goto(`${issuer}/t/codes/login?reason=confirm&to=security`)),
    },
    {
      name: 'invitation-without-password',
      title: /^Almost there/,
      go: async (page) => page.goto(await makeInvitation({ email: 'guest@codes.example', role: 'user' }, await passwordless(world))),
    },
    { name: 'setup-without-password', title: /^Set up/, go: async (page) => page.goto(await makeSetupLink(await passwordless(world))) },
    { name: 'sign-in-approved', title: /^Sign in/, go: at() },
    { name: 'sign-in-document', title: /^Sign in/, go: at(document) },
    { name: 'sign-in-dynamic', title: /^Sign in/, go: async (page) => at(await dynamic())(page) },
    { name: 'sign-in-wrong', title: /^Sign in/, go: (page) => at(document)(page).then(() => wrongPassword(page, 'ida')) },
    {
      name: 'sign-in-throttled',
      title: /^Sign in/,
      go: async (page) => {
        await path('/login')(page);
        for (let tries = 0; tries < 12; tries++) await wrongPassword(page, 'nobody');
        await page.getByText('Too many tries').waitFor();
      },
    },
    { name: 'sign-in-signed-out', title: /^Sign in/, go: path('/login?reason=signed-out') },
    { name: 'sign-in-confirm', title: /^Confirm it's you/, as: 'ada', go: at({ prompt: 'login' }) },

    { name: 'sign-in-confirm-heavy', title: /^Confirm it's you/, as: 'ida', go: at({ ...document, prompt: 'login', scope: 'files:read files:delete' }) },
    {
      name: 'second-step',
      title: /^Enter your code/,
      go: (page) =>
        path('/login')(page)
          .then(() => signIn(page, 'tess', password))
          .then(() => page.getByLabel('Code').waitFor()),
    },
    { name: 'second-step-wrong', title: /^Enter your code/, go: (page) => path('/login')(page).then(() => secondStep(page, 'tess', '000000')) },
    {
      name: 'recovery-used',
      title: /^You used a recovery code/,
      go: (page) => path('/login')(page).then(() => secondStep(page, 'tess', recoveryCodes[0] ?? '')),
    },
    { name: 'security-two-step', title: /^Sign-in and sessions/, as: 'tess', go: path('/account/security') },
    { name: 'two-step-set-up', title: /^Set up an authenticator app/, as: 'ida', go: path('/account/security/two-step') },
    { name: 'recovery-codes', title: /^The second step is on/, as: 'tina', go: (page) => path('/account/security/two-step')(page).then(() => turnOn(page)) },
    { name: 'password', title: /^Change the password/, as: 'ida', go: path('/account/security/password') },
    {
      name: 'password-refused',
      title: /^Change the password/,
      as: 'ida',
      go: (page) => path('/account/security/password')(page).then(() => commonPassword(page)),
    },

    { name: 'accounts', title: /^Choose an account/, as: 'ida', go: twoAccounts },
    { name: 'consent', title: /^Allow Claude Code\?/, as: 'ada', go: at({ ...document, scope: 'files:read files:write files:delete offline_access' }) },
    { name: 'consent-everything', title: /^Allow Claude Code\?/, as: 'ida', go: at({ ...document, scope: everything }) },
    { name: 'consent-approved-https', title: /^Allow/, as: 'ida', go: at({ ...stays, scope: 'files:read' }) },
    { name: 'consent-app-scheme', title: /^Allow/, as: 'ida', go: at({ redirect_uri: cursorScheme }) },
    {
      name: 'consent-dynamic',
      title: /^Allow/,
      as: 'ida',
      go: async (page) => at({ ...(await dynamic()), scope: 'files:read files:write files:delete mail:read' })(page),
    },
    { name: 'consent-long-words', title: /^Allow/, as: 'ida', go: async (page) => at(await longWords())(page) },
    { name: 'consent-open', title: /^Allow/, as: 'ida', go: (page) => at({ ...document, scope: everything })(page).then(() => openAll(page)) },
    { name: 'consent-step-up', title: /asks for more/, as: 'ada', go: at({ ...stays, scope: 'files:read files:write files:delete' }) },
    { name: 'consent-reconnect', title: /^Reconnect/, as: 'ada', go: at({ ...stays, scope: 'files:read' }) },
    { name: 'consent-several', title: /^Allow Claude Code\?/, as: 'ida', go: several({ ...document, scope: severalScopes }) },
    { name: 'consent-through', title: /^Allow File Reports\?/, as: 'ida', go: at(through) },
    { name: 'consent-decided', title: /^Already decided/, as: 'ida', go: decidedTwice },
    {
      name: 'return',
      title: /^Taking you back/,
      as: 'rosa',
      go: (page) =>
        at(stays)(page)
          .then(() => allow(page))
          .then(() => page.getByRole('link', { name: 'Continue' }).waitFor()),
    },
    {
      name: 'return-posted',
      title: /^Taking you back/,
      as: 'petra',
      go: (page) =>
        at({ ...stays, response_mode: 'form_post' })(page)
          .then(() => allow(page))
          .then(() => page.getByRole('button', { name: 'Continue' }).waitFor()),
    },
    {
      name: 'return-denied',
      title: /^Nothing was shared/,
      as: 'ida',
      go: (page) =>
        at(stays)(page)
          .then(() => deny(page))
          .then(() => page.getByRole('link', { name: 'Continue' }).waitFor()),
    },

    { name: 'return-not-listed', title: /^You can't give this access/, as: 'ida', go: at({ ...stays, resource: staffResource, scope: 'staff:read' }) },
    { name: 'ask-access', title: /^Ask for access/, as: 'ida', go: path('/account/ask?server=srv_staff') },
    { name: 'ask-access-asked', title: /^Ask for access/, as: 'nina', go: askedForAccess },

    { name: 'sign-in-device', title: /^Sign in/, go: path('/device?user_code=WDJB-MJHT') },
    { name: 'device', title: /^Connect a device/, as: 'ida', go: path('/device') },
    { name: 'device-prefilled', title: /^Connect a device/, as: 'ida', go: path('/device?user_code=WDJB-MJHT') },
    { name: 'device-wrong', title: /^Connect a device/, as: 'dora', go: (page) => enterCode(page, 'BCDF-GHJK').then(() => page.getByRole('alert').waitFor()) },
    { name: 'device-throttled', title: /^Connect a device/, as: 'nora', go: throttledCode },
    { name: 'device-compare', title: /^Does your device show this code/, as: 'ida', go: async (page) => compared(page, world.approved.id, 'files:read') },
    {
      name: 'device-compare-dynamic',
      title: /^Does your device show this code/,
      as: 'ida',
      go: async (page) => compared(page, (await dynamic('Build Bot')).client_id, everything),
    },
    { name: 'device-connected', title: /^Connected/, as: 'rosa', go: (page) => decided(page, 'allow') },
    { name: 'device-denied', title: /^Nothing was shared/, as: 'ida', go: (page) => decided(page, 'deny') },

    { name: 'account', title: /^Your account/, as: 'ada', go: path('/account') },
    { name: 'account-none', title: /^Your account/, as: 'eve', go: path('/account') },
    { name: 'profile', title: /^Profile and data/, as: 'ada', go: path('/account/profile') },
    { name: 'email', title: /^Change your e-mail address/, as: 'ida', go: path('/account/email') },
    { name: 'email-wrong', title: /^Change your e-mail address/, as: 'ida', go: (page) => otherAddress(page, 'nowhere') },
    { name: 'email-sent', title: /^Change your e-mail address/, as: 'otto', go: (page) => otherAddress(page, 'otto@elsewhere.example') },
    { name: 'email-confirm', title: /^Use this address/, as: 'olga', go: (page) => linkOf(page, 'olga@elsewhere.example') },
    { name: 'email-elsewhere', title: /^Use this address/, as: 'olaf', go: (page) => linkOf(page, 'olaf@elsewhere.example', true) },
    { name: 'email-changed', title: /^Your e-mail address is changed/, as: 'otis', go: newAddress },
    { name: 'email-closed', title: /^This link no longer works/, go: path('/account/email/confirm?token=ol_gone') },
    { name: 'delete-account', title: /^Delete your account\?/, as: 'ada', go: path('/account/delete') },
    { name: 'activity', title: /^Activity/, as: 'ada', go: path('/account/activity') },
    {
      name: 'activity-lapsed',
      title: /^Activity/,
      as: 'lena',
      go: (page) => path('/account/activity')(page).then(() => page.getByText('30 days').first().waitFor()),
    },
    { name: 'agents-none', title: /^Connected agents/, as: 'eve', go: path('/account/agents') },
    { name: 'agents', title: /^Connected agents/, as: 'ada', go: path('/account/agents') },
    { name: 'agents-through', title: /^Connected agents/, as: 'thea', go: path('/account/agents') },
    { name: 'agents-paused', title: /^Connected agents/, as: 'paul', go: (page) => pressed(page, 'Pause Claude Code', 'cannot act until') },
    { name: 'agents-all-paused', title: /^Connected agents/, as: 'alma', go: (page) => pressed(page, 'Pause all agents', 'nor can new ones') },
    { name: 'agents-reduce', title: /^Reduce what/, as: 'ada', go: (page) => followed(page, 'Reduce access') },
    { name: 'agents-disconnect-all', title: /^Disconnect all agents\?/, as: 'ada', go: path('/account/agents/disconnect-all') },
    { name: 'agents-receipt', title: /^What you agreed to/, as: 'ada', go: (page) => followed(page, 'What you agreed to') },
    {
      name: 'paused',
      title: /is paused/,
      as: 'hugo',
      go: (page) => pressed(page, 'Pause Claude Code', 'cannot act until').then(() => at(stays)(page)),
    },
    { name: 'held', title: /is stopped/, as: 'hana', go: at(stays) },
    { name: 'agents-disconnected', title: /^Connected agents/, as: 'joan', go: disconnected },
    { name: 'security', title: /^Sign-in and sessions/, as: 'pia', go: path('/account/security') },
    { name: 'security-none', title: /^Sign-in and sessions/, as: 'eve', go: path('/account/security') },
    { name: 'security-renamed', title: /^Sign-in and sessions/, as: 'kay', go: renamed },
    { name: 'sign-in-stronger', title: /^Sign in/, go: at({ acr_values: 'aal2' }) },
    { name: 'agents-pause', title: /^Pause/, as: 'ada', go: askedToPause },
    { name: 'sign-out', title: /^Sign out/, as: 'ada', go: path('/logout') },
    { name: 'sign-out-asked', title: /^Sign out/, as: 'ada', go: path(asked) },
    {
      name: 'signed-out-onward',
      title: /^You are signed out/,
      as: 'ida',
      go: (page) =>
        path(asked)(page)
          .then(() => page.getByRole('button', { name: 'Sign out' }).click())
          .then(() => page.getByRole('link', { name: 'Continue' }).waitFor()),
    },
    { name: 'signed-out', title: /^You are signed out/, go: path('/logout') },
    { name: 'code', title: /^Enter the code/, go: (page) => askForCode(page, 'mara') },
    { name: 'code-wrong', title: /^Enter the code/, go: (page) => askForCode(page, 'mara@acme.example').then(() => enter(page, '0000 0000')) },
    { name: 'code-over', title: /^This code no longer works/, go: tooManyCodes },
    { name: 'code-elsewhere', title: /^Your code/, go: linkElsewhere },
    { name: 'code-closed', title: /^This code no longer works/, go: path('/code?flow=lnk_gone') },
    { name: 'sign-in-no-name', title: /^Sign in/, go: (page) => askForCode(page, '').then(() => page.getByRole('alert').waitFor()) },
    {
      name: 'sign-up',
      title: /^Create an account/,
      go: (page) =>
        at(document)(page)
          .then(() => page.getByRole('link', { name: 'Create an account' }).click())
          .then(() => page.getByRole('button', { name: 'Send the code' }).waitFor()),
    },
    { name: 'sign-up-wrong', title: /^Create an account/, go: (page) => path('/signup')(page).then(() => signUp(page, 'nowhere')) },
    { name: 'new-account', title: /^Almost there/, go: (page) => proven(page, 'new-1@acme.example') },
    {
      name: 'new-account-wrong',
      title: /^Almost there/,
      go: (page) =>
        proven(page, 'new-2@acme.example')
          .then(() => page.getByLabel('Password', { exact: true }).fill('password1234'))
          .then(() => page.getByRole('button', { name: 'Create the account' }).click())
          .then(() => page.getByRole('alert').waitFor()),
    },
    {
      name: 'invitation',
      title: /^Almost there/,
      go: async (page) => page.goto(await makeInvitation({ email: 'guest@acme.example', role: 'user' }, world.context)),
    },
    { name: 'invitation-closed', title: /^This invitation no longer works/, go: path('/invite?token=ol_gone') },
    { name: 'reset', title: /^Forgot your password/, go: path('/reset') },
    { name: 'reset-development', title: /^Forgot your password/, go: (page) => page.goto(`${world.development}/reset`) },
    { name: 'reset-sent', title: /^Look at your mail/, go: (page) => path('/reset')(page).then(() => resetFor(page, 'nobody')) },
    { name: 'reset-new', title: /^Choose a new password/, go: (page) => newPassword(page, undefined) },
    { name: 'reset-new-wrong', title: /^Choose a new password/, go: (page) => newPassword(page, 'short') },
    { name: 'reset-done', title: /^Your password is changed/, go: (page) => newPassword(page, 'seven quiet otters sing') },
    { name: 'reset-closed', title: /^This link no longer works/, go: path('/reset?token=ol_gone') },
    { name: 'setup', title: /^Set up/, go: async (page) => page.goto(await makeSetupLink(world.context)) },
    {
      name: 'setup-wrong',
      title: /^Set up/,
      go: async (page) => page.goto(await makeSetupLink(world.context)).then(() => setUp(page, 'not a name!', 'short', false)),
    },
    {
      name: 'setup-done',
      title: /^This service is set up/,
      go: async (page) => page.goto(await firstLink(world, 'begun')).then(() => setUp(page, 'operator', password, true)),
    },

    { name: 'error-client', title: /registration is no longer known/, go: at({ client_id: 'client_nobody' }) },
    { name: 'error-redirect', title: /return address doesn't match/, go: at({ redirect_uri: 'http://127.0.0.1:3000/elsewhere' }) },
    { name: 'error-copied-code', title: /^Sign in with a device code/, go: at({ redirect_uri: 'urn:ietf:wg:oauth:2.0:oob' }) },
    { name: 'error-expired', title: /too old/, go: path(`/authorize/consent?tx=tx_${'A'.repeat(32)}`) },
    { name: 'error-document', title: /couldn't read/, go: at({ client_id: 'https://unreachable.example/client.json' }) },
    { name: 'error-interstitial', title: /./, go: async (page) => at({ ...(await dynamic()), response_type: 'token' })(page) },
    { name: 'error-not-found', title: /nothing here/, go: path('/nowhere') },
    { name: 'error-form', title: /./, as: 'ada', go: formWithoutCookie },
    { name: 'docs-error', title: /^invalid_grant/, go: path('/docs/errors/invalid_grant') },
    { name: 'docs-errors', title: /^Error codes/, go: path('/docs/errors') },

    { name: 'development-home', title: /./, go: (page) => page.goto(world.development) },
    { name: 'development-sign-in', title: /^Sign in/, go: (page) => page.goto(development({ redirect_uri: 'http://localhost:3000/callback' })) },
    {
      name: 'development-consent',
      title: /^Allow/,
      go: (page) =>
        page
          .goto(development({ redirect_uri: 'http://localhost:3000/callback' }))
          .then(() => demoSignIn(page))
          .then(() => page.getByText('It could').waitFor()),
    },
    {
      name: 'development-code',
      title: /^Copy this code/,
      go: (page) =>
        page
          .goto(development({}))
          .then(() => demoSignIn(page))
          .then(() => allow(page))
          .then(() => page.getByText('Copy this code').waitFor()),
    },
    { name: 'development-mail', title: /^Mail/, go: readMail },
    { name: 'development-test-challenge', title: /^Sign in/, go: (page) => page.goto(development({ code_challenge: 'test' })) },
    {
      name: 'development-no-code',
      title: /^No code for/,
      go: (page) =>
        page
          .goto(development({ code_challenge: 'test' }))
          .then(() => demoSignIn(page))
          .then(() => page.getByText('no code was made').waitFor()),
    },
  ];

  /** Signs in where there are no passwords, as somebody new each time: the newest mail must be theirs. */
  async function codeThere(page: Page): Promise<void> {
    const username = `cody-${++codies}`;
    const address = await addTo(await passwordless(world), username);
    await askForCode(page, username, '/t/codes/login');
    await page.getByLabel('Code', { exact: true }).fill(codeIn(await world.mailTo(address, 'codes')));
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'Connected agents' }).waitFor();
    await page.goto(`${issuer}/t/codes/account/security`);
  }

  async function askForCode(page: Page, username: string, at = '/login'): Promise<void> {
    await path(at)(page);
    await page.getByLabel('E-mail or username').fill(username);
    await page.getByRole('button', { name: 'E-mail me a code' }).click();
    await (username === '' ? page.getByRole('alert') : page.getByLabel('Code', { exact: true })).waitFor();
  }

  async function enter(page: Page, code: string): Promise<void> {
    await page.getByLabel('Code', { exact: true }).fill(code);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('alert').waitFor();
  }

  async function tooManyCodes(page: Page): Promise<void> {
    await askForCode(page, 'mara');
    for (let tries = 0; tries < 6; tries++) await enter(page, '0000 0000');
    await page.getByRole('alert').waitFor();
    await page.getByRole('heading', { name: 'This code no longer works' }).waitFor();
  }

  /** The mail is opened where nobody asked for it. */
  async function linkElsewhere(page: Page): Promise<void> {
    const { page: asking, ...person } = await world.open();
    await askForCode(asking, 'nele');
    await person.close();
    await page.goto(linkIn(await world.mailTo('nele@acme.example')));
  }

  async function signUp(page: Page, email: string): Promise<void> {
    await page.locator('main form').evaluate((form: HTMLFormElement) => form.setAttribute('novalidate', ''));
    await page.getByLabel('E-mail').fill(email);
    await page.getByRole('button', { name: 'Send the code' }).click();
    await (email.includes('@') ? page.getByLabel('Code', { exact: true }) : page.getByRole('alert')).waitFor();
  }

  async function proven(page: Page, email: string): Promise<void> {
    await at(document)(page);
    await page.getByRole('link', { name: 'Create an account' }).click();
    await signUp(page, email);
    await page.getByLabel('Code', { exact: true }).fill(codeIn(await world.mailTo(email)));
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByLabel('Your name').waitFor();
    await page.locator('main form').evaluate((form: HTMLFormElement) => form.setAttribute('novalidate', ''));
  }

  async function otherAddress(page: Page, email: string): Promise<void> {
    await path('/account/email')(page);
    await page.locator('main form').evaluate((form: HTMLFormElement) => form.setAttribute('novalidate', ''));
    await page.getByLabel('New e-mail address').fill(email);
    await page.getByRole('button', { name: 'Send the link' }).click();
    await (email.includes('@') ? page.locator('.done[role=status]') : page.getByRole('alert')).waitFor();
  }

  /** The mail is opened where it was asked for, or where nobody is signed in. */
  async function linkOf(page: Page, email: string, elsewhere = false): Promise<void> {
    await otherAddress(page, email);
    if (elsewhere) await page.context().clearCookies();
    await page.goto(linkIn(await world.mailTo(email)));
  }

  async function newAddress(page: Page): Promise<void> {
    await linkOf(page, 'otis@elsewhere.example');
    await page.getByRole('button', { name: 'Use this address' }).click();
    await page.getByText('is changed').first().waitFor();
  }

  async function resetFor(page: Page, username: string): Promise<void> {
    await page.getByLabel('E-mail or username').fill(username);
    await page.getByRole('button', { name: 'Send the link' }).click();
    await page.getByText('Look at your mail').first().waitFor();
  }

  /** Somebody of their own each time: a new link ends the older ones. */
  async function newPassword(page: Page, secret: string | undefined): Promise<void> {
    const found = await world.store.findUserByLogin(await world.somebody());
    if (!found) throw new Error('nobody was added');
    await page.goto(await makeResetLink(found.user, world.context));
    if (secret === undefined) return;
    await page.locator('main form').evaluate((form: HTMLFormElement) => form.setAttribute('novalidate', ''));
    await page.getByLabel('New password').fill(secret);
    await page.getByRole('button', { name: 'Save the new password' }).click();
    await (secret === 'short' ? page.getByRole('alert') : page.getByText('Your password is changed').first()).waitFor();
  }

  async function longWords(): Promise<Record<string, string>> {
    const name = 'Ein Assistent mit Donaudampfschifffahrtsgesellschaftskapitaenspatentnummern und mehr';
    const redirectUri = `https://${'very-long-label-of-a-host.'.repeat(5)}example.net/${'path/'.repeat(20)}`;
    return dynamic(name, redirectUri);
  }

  async function decidedTwice(page: Page): Promise<void> {
    await at(stays)(page);
    const address = page.url();
    await deny(page);
    await page.getByRole('heading', { name: 'Nothing was shared' }).waitFor();
    await page.goto(address);
  }

  async function compared(page: Page, clientId: string, scope: string): Promise<string> {
    const { user_code: code } = await world.device(clientId, scope);
    await enterCode(page, code);
    await page.getByText('It could').waitFor();
    return code;
  }

  async function decided(page: Page, decision: 'allow' | 'deny'): Promise<void> {
    await compared(page, world.approved.id, 'files:read');
    await (decision === 'allow' ? allow(page) : deny(page));
    await page.getByText('Review connected agents').waitFor();
  }

  /** The limit of this account alone: the others enter codes from the same address meanwhile. */
  async function throttledCode(page: Page): Promise<void> {
    const { user } = (await world.store.findUserByLogin('nora')) ?? {};
    for (let tries = 0; tries < 5; tries++) await world.store.countGuess(`user-code account ${user?.id}`, { most: 5, windowSeconds: 600 }, world.clock.now());
    await enterCode(page, 'BCDF-GHJK');
    await page.getByText('Too many tries').waitFor();
  }

  async function enterCode(page: Page, code: string): Promise<void> {
    await path('/device')(page);
    await page.getByLabel('Code').fill(code);
    await page.getByRole('button', { name: 'Continue' }).click();
  }

  async function disconnected(page: Page): Promise<void> {
    await path('/account/agents')(page);
    await page.getByRole('button', { name: 'Disconnect' }).first().click();
    await page.getByText('lost access').waitFor();
  }

  async function pressed(page: Page, button: string, then: string): Promise<void> {
    await path('/account/agents')(page);
    await page.getByRole('button', { name: button }).first().click();
    await page.getByText(then).first().waitFor();
  }

  async function askedForAccess(page: Page): Promise<void> {
    await path('/account/ask?server=srv_staff')(page);
    await page.getByLabel('Message').fill('I look after the payroll from December on.');
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText('You asked on').waitFor();
  }

  async function followed(page: Page, link: string): Promise<void> {
    await path('/account/agents')(page);
    await page.getByRole('link', { name: link }).first().click();
    await page.waitForURL(({ pathname }) => pathname !== '/account/agents');
  }

  async function renamed(page: Page): Promise<void> {
    await path('/account/security')(page);
    await page.locator('#passkeys summary').first().click();
    await page.getByLabel('Name').first().fill('Green key');
    await page.getByRole('button', { name: 'Save the name' }).first().click();
    await page.getByText('Name saved.').waitFor();
  }

  async function formWithoutCookie(page: Page): Promise<void> {
    await path('/logout')(page);
    await page.context().clearCookies({ name: '__Host-aa_browser' });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText("Your browser didn't send our cookie").waitFor();
  }

  async function askedToPause(page: Page) {
    await page.goto(`${issuer}/account/agents`);
    const grant = await page.locator('form[action$="/agents/pause"] input[name=grant]').first().inputValue();
    await page.goto(`${issuer}/account/agents/pause?grant=${grant}`);
  }

  async function readMail(page: Page) {
    const at = Math.floor(Date.now() / 1000);
    const values = { at, address: '203.0.113.7', userAgent: 'Firefox/140.0 Linux' };
    await queueMail(world.developmentContext, { to: 'ada@example.com', kind: 'new-device', values });
    await queueMail(world.developmentContext, { to: 'ada@example.com', kind: 'test', values: {} });
    await world.developmentContext.mail.idle();
    await page.goto(`${world.development}/dev/mail`);
  }

  function development(more: Record<string, string>): string {
    const plain = { response_type: 'code', client_id: 'mcp-test-client', redirect_uri: 'urn:ietf:wg:oauth:2.0:oob', scope: 'mcp:read mcp:write', state: 'xyz' };
    return `${world.development}/oauth/authorize?${new URLSearchParams({ ...plain, code_challenge: pkce.challenge, code_challenge_method: 'S256', ...more })}`;
  }
}

/** Ada has one agent of the operator and one that registered itself, Joan has one, Thea's reaches another server, and the others have none. */
export async function connectAgents(world: Stand): Promise<void> {
  const names = [
    'ada',
    'ida',
    'eve',
    'joan',
    'thea',
    'rosa',
    'petra',
    'dora',
    'nora',
    'nina',
    'otto',
    'olga',
    'olaf',
    'otis',
    'pia',
    'kay',
    'paul',
    'alma',
    'hugo',
    'tess',
    'tina',
    'mara',
    'nele',
  ];
  for (const username of names) await world.somebody(username);
  const dynamic = await world.register('Goose', [`${hostedOrigin}/cb`]);
  const approved = { client_id: world.approved.id, redirect_uri: `${hostedOrigin}/stay`, scope: 'files:read' };
  await connect(world, 'ada', approved);
  await connect(world, 'ada', { client_id: dynamic, redirect_uri: `${hostedOrigin}/cb`, scope: everything });
  for (const username of ['joan', 'paul', 'alma', 'hugo']) await connect(world, username, approved);
  const held = await world.context.store.findUserByLogin(await world.somebody('hana'));
  await world.context.store.placeHold(
    { id: 'inc_hana', userId: held?.user.id ?? '', createdAt: world.clock.now() },
    auditEvent('grant.paused', world.clock.now(), 'cli'),
  );
  await addEmptyTenant(world);
  await addPasswordless(world);
  await lapse(world, await world.somebody('lena'));
  await connect(world, 'thea', approved);
  await approveThrough(world, 'thea');
  for (const username of ['pia', 'kay']) await addPasskeys(world, username);
  world.clock.advance(240);
  recoveryCodes = await setUpApp(world, (await world.store.findUserByLogin('tess'))?.user.id ?? '');
}

let recoveryCodes: string[] = [];
let codies = 0;

/** A tenant in which nobody is yet. */
async function addEmptyTenant({ server, clock }: Stand): Promise<void> {
  await server.storage.addTenant({ tenant: 'empty', name: 'empty', createdAt: clock.now(), settings: JSON.stringify({ signIn: { signUp: 'closed' } }) });
}

/** An agent of hers that nobody used for thirty days. */
async function lapse({ store, approved, mcp, clock }: Stand, username: string): Promise<void> {
  const userId = (await store.findUserByLogin(username))?.user.id ?? '';
  const about = { userId, clientId: approved.id, serverId: mcp.id, detail: { reason: 'unused', days: 30 } };
  await store.recordEvent(auditEvent('grant.lapsed', clock.now(), 'system', about));
}

async function secondStep(page: Page, username: string, code: string): Promise<void> {
  await signIn(page, username, password);
  await page.getByLabel('Code').fill(code);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page
    .getByText(/not right|recovery code.* left/)
    .first()
    .waitFor();
}

async function commonPassword(page: Page): Promise<void> {
  await page.getByLabel('New password').fill('password1234');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').waitFor();
}

/** One that is synchronised by a provider we know, one that stays where it is. */
async function addPasskeys(world: Stand, username: string): Promise<void> {
  const { user } = (await world.store.findUserByLogin(username)) ?? {};
  const now = world.clock.now();
  const plain = { userId: user?.id ?? '', userHandle: username, publicKey: 'none', counter: 0, transports: [], backedUp: true, createdAt: now - 200_000 };
  const synced = { ...plain, id: `pk_${username}1`, credentialId: `${username}-1`, aaguid: 'fbfc3007-154e-4ecc-8c0b-6e020557d7bd', backupEligible: true };
  const bound = { ...plain, id: `pk_${username}2`, credentialId: `${username}-2`, aaguid: 'unknown', name: 'Blue key', backupEligible: false };
  for (const passkey of [synced, bound]) await world.store.addPasskey(passkey, auditEvent('passkey.added', now, 'test'));
}

async function connect(world: Stand, username: string, request: Record<string, string>): Promise<void> {
  const { page, ...person } = await world.signedIn(username);
  await page.goto(world.url(request));
  for (const box of await page.getByRole('checkbox').all()) await box.check();
  await allow(page);
  const callback = await person.sentTo(new RegExp(`^${request['redirect_uri']}\\?`));
  await world.redeem(new URL(callback), request['client_id'] ?? '');
  await person.close();
}

/** The person allows the speaker the other server, and their agent has made use of it. */
async function approveThrough(world: Stand, username: string): Promise<void> {
  const { page, ...person } = await world.signedIn(username);
  await page.goto(world.url(through));
  await allow(page);
  await person.sentTo(new RegExp(`^${hostedOrigin}/stay\\?`));
  await person.close();
  const user = await world.store.findUserByLogin(username);
  const grants = await world.store.listGrants({ userId: user?.user.id ?? '' }, world.clock.now());
  const [there, here] = [grants.find(({ clientId }) => clientId === speakerId), grants.find(({ clientId }) => clientId === world.approved.id)];
  const event = auditEvent('grant.delegated', world.clock.now(), `client:${speakerId}`);
  const expiresAt = world.clock.now() + 86400;
  await world.store.noteDelegation({ grantId: there?.id ?? '', subjectGrantId: here?.id ?? '', userId: user?.user.id ?? '', expiresAt }, event);
}

async function wrongPassword(page: Page, username: string): Promise<void> {
  await signIn(page, username, 'not the password');
  await page.getByRole('alert').waitFor();
}

async function setUp(page: Page, username: string, secret: string, works: boolean): Promise<void> {
  // The browser's own checks would keep a wrong form here; the server's answer is what is looked at.
  await page.locator('main form').evaluate((form: HTMLFormElement) => form.setAttribute('novalidate', ''));
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('E-mail').fill(works ? 'operator@acme.example' : 'nowhere');
  await page.getByLabel('Password', { exact: true }).fill(secret);
  await page.getByRole('button', { name: 'Create the account' }).click();
  await (works ? page.getByText('Owner token').first() : page.getByRole('alert')).waitFor();
}

function demoSignIn(page: Page): Promise<void> {
  return signIn(page, 'testuser', 'testpass');
}

function openAll(page: Page): Promise<void> {
  return page.evaluate(() => {
    for (const details of document.querySelectorAll('details')) details.open = true;
  });
}

async function twoAccounts(page: Page): Promise<void> {
  await page.goto(`${issuer}/login?switch=new`);
  await signIn(page, 'eve', password);
  await page.goto(`${issuer}/login/accounts`);
}
