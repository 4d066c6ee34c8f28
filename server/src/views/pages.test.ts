/**
 * What holds for every page, proven on every page: escaping, no inline code or style, one origin, size, structure.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { accountPage } from './account-page.ts';
import { activityPage } from './activity-page.ts';
import { askAccessPage } from './ask-access-page.ts';
import { assets, scriptAsset, stylesheetAsset } from './assets.ts';
import { chooseAccountPage } from './choose-account-page.ts';
import type { ClientView } from './client-identity.ts';
import { codeDisplayPage } from './code-display-page.ts';
import { connectedAgentsPage } from './connected-agents-page.ts';
import { consentPage } from './consent-page.ts';
import { deleteAccountPage } from './delete-account-page.ts';
import { deletedPage } from './deleted-page.ts';
import { deviceConfirmPage, deviceDonePage, deviceEntryPage } from './device-page.ts';
import { disconnectAllPage } from './disconnect-all-page.ts';
import { errorPage } from './error-page.ts';
import { handOffPage } from './hand-off.ts';
import { homePage } from './home-page.ts';
import type { PageFrame } from './layout.ts';
import { noticePage } from './notice-page.ts';
import { passwordPage } from './password-page.ts';
import { pausedPage } from './paused-page.ts';
import { profilePage } from './profile-page.ts';
import { recoveryCodesPage } from './recovery-codes-page.ts';
import { reducePage } from './reduce-page.ts';
import { returnPage } from './return-page.ts';
import { recoveryUsedPage, secondStepPage } from './second-step-page.ts';
import { passkeysView } from './security/passkeys.ts';
import { passwordView } from './security/password.ts';
import { sessionsView } from './security/sessions.ts';
import { twoStepView } from './security/two-step.ts';
import { securityPage } from './security-page.ts';
import { setupDonePage, setupPage } from './setup-page.ts';
import { signInPage } from './sign-in-page.ts';
import { signedOutPage, signOutPage } from './sign-out-page.ts';
import { twoStepPage } from './two-step-page.ts';
import { wordsFor } from './words.ts';

/** Every page with `x` in every place that takes text from outside. */
function everyPage(x: string): Record<string, string> {
  const page: PageFrame = {
    ...wordsFor('en'),
    serviceName: x,
    accent: '1a73e8',
    host: x,
    contact: x,
    requestId: x,
    base: '/t/acme',
    notice: { title: x, text: x },
    now: 1_700_000_000,
  };
  const client: ClientView = {
    name: x,
    tier: 'document',
    host: x,
    registeredAt: 1_690_000_000,
    lookAlikeOf: { name: x, host: x, kind: 'client', elsewhere: true },
    everyRedirectLoopback: true,
  };
  const user = { name: x, email: x };
  const scopes = [
    { name: x, description: x, optional: true },
    { name: x, offered: false },
    { name: 'files:delete', isNew: true },
  ];
  const agent = { grantId: x, client, clientId: x, serverName: x, serverHost: x, scopes, since: 1, consents: [{ grantId: 'grant_1', at: 1 }] };
  const technical = { clientId: x, redirectUri: x, scope: x, resource: x, codeChallengeMethod: x, responseMode: x, prompt: x };
  const consent = {
    tx: x,
    csrf: x,
    client,
    user,
    server: { name: x, host: x, resource: x },
    redirectUri: x,
    scopes,
    offline: true,
    lasts: { unused: 30, most: 90 },
    technical,
  };
  const passkey = { id: 'pk_1', name: x, aaguid: x, backupEligible: true, createdAt: 1, lastUsedAt: 1 };
  const passkeys = { csrf: { add: x, rename: x, remove: x }, recent: true, onlyWayIn: false, accepted: { rpId: x, userId: x, allAcceptedCredentialIds: [x] } };
  const session = { name: x, userAgent: x, address: x, sameAddress: true, startedAt: 1, seenAt: 1, current: false };
  const sessions = { csrf: { end: x, endAll: x }, sessions: [session, { ...session, userAgent: `${x} Firefox/1 Linux`, current: true }] };
  return {
    security: securityPage(page, {
      user,
      recent: false,
      notice: 'passkey-added',
      sections: [
        passkeysView(page, { ...passkeys, passkeys: [passkey, { ...passkey, id: 'pk_2', name: undefined, lastUsedAt: undefined }] }),
        sessionsView(page, sessions),
      ],
    }),
    securityLast: securityPage(page, {
      user,
      recent: true,
      notice: 'passkey-last',
      sections: [passkeysView(page, { ...passkeys, onlyWayIn: true, passkeys: [passkey] })],
    }),
    securitySteps: securityPage(page, {
      user,
      recent: true,
      notice: 'two-step-off',
      sections: [
        passwordView(page, { csrf: { remove: x }, recent: true, hasPassword: true, onlyWayIn: false }),
        twoStepView(page, { csrf: { codes: x, remove: x }, recent: true, factor: { createdAt: 1, recoveryCodesLeft: 9 } }),
      ],
    }),
    secondStep: secondStepPage(page, { csrf: x, onward: { tx: x }, problem: 'wrong' }),
    recoveryUsed: recoveryUsedPage(page, { left: 9, onwardHref: '/t/acme/account/agents' }),
    twoStep: twoStepPage(page, { csrf: x, sealed: x, key: 'ABCD', keyUri: 'otpauth://totp/a:b?secret=ABCD', wrong: true }),
    recoveryCodes: recoveryCodesPage(page, { codes: ['ABCD-EFGH'], user: x, fresh: true }),
    password: passwordPage(page, { csrf: x, username: x, hasPassword: true, minLength: 12, problem: 'common' }),
    confirmHeavy: signInPage(page, { csrf: x, client, username: x, reason: 'confirm', unlocks: scopes }),
    signInPasskey: signInPage(page, { tx: x, csrf: x, username: x, passkeys: true, security: true, error: 'wrong-passkey' }),
    signIn: signInPage(page, { tx: x, csrf: x, client, username: x, signInHint: x, error: 'wrong-credentials' }),
    approved: signInPage(page, { csrf: x, client: { ...client, tier: 'approved' } }),
    cannotConfirm: signInPage(page, { csrf: x, username: x, reason: 'confirm', cannotConfirm: { names: [x, x], minutes: 5 }, resetHref: '/t/acme/reset' }),
    confirm: signInPage(page, { csrf: x, username: x, reason: 'confirm' }),
    passwordless: signInPage(page, {
      csrf: x,
      username: x,
      passwordless: true,
      emailCode: true,
      passkeys: true,
      upstreams: [{ id: x, name: x }],
      error: 'no-name',
    }),
    passwordlessAlone: signInPage(page, { csrf: x, passwordless: true, passkeys: true, upstreams: [{ id: x, name: x }], reason: 'confirm' }),
    signedOutMeanwhile: signInPage(page, { csrf: x, client: { ...client, tier: 'dynamic' }, reason: 'signed-out', error: 'throttled', retryAfterSeconds: 60 }),
    consent: consentPage(page, { ...consent, client: { ...client, tier: 'dynamic' }, scopes: [{ name: x, description: x, optional: true }] }),
    stepUp: consentPage(page, consent),
    stepUpWhy: consentPage(page, {
      ...consent,
      allowedSince: 1,
      durations: { offered: ['until_disconnected', '8_hours', 'once'], preset: '8_hours', asBefore: 1_700_090_000 },
      lastRefusal: { action: x, missing: ['files:delete', x], at: 1_699_999_990 },
    }),
    durations: consentPage(page, { ...consent, durations: { offered: ['30_days', '8_hours', 'once'], preset: '30_days', capped: true } }),
    handOff: consentPage(page, { ...consent, handOff: { fresh: true, device: true } }),
    handOffFirst: consentPage(page, { ...consent, handOff: { fresh: false, device: false } }),
    handedOff: handOffPage(page, { tx: x, href: `http://localhost:3000/?state=${x}`, secondsLeft: 42, csrf: x }),
    handedOffAgain: handOffPage(page, { tx: x, href: x, secondsLeft: 1 }),
    accounts: chooseAccountPage(page, {
      csrf: x,
      onward: { tx: x },
      client,
      suggested: x,
      another: '/t/acme/login?switch=new',
      accounts: [
        { id: x, name: x, email: x, seenAt: 1 },
        { id: x, name: x, seenAt: 1_699_999_999 },
      ],
    }),
    accountsForDevice: chooseAccountPage(page, {
      csrf: x,
      onward: { to: 'device', user_code: x },
      another: '/t/acme/login',
      accounts: [{ id: x, name: x, seenAt: 1 }],
    }),
    through: consentPage(page, { ...consent, through: x }),
    reconnect: consentPage(page, { ...consent, reconnect: true, client: { ...client, tier: 'approved' } }),
    return: returnPage(page, { client, href: x, denied: false }),
    notListed: returnPage(page, { client, href: `https://a.example/?state=${x}`, denied: true, notListed: true }),
    notListedMayAsk: returnPage(page, { client, href: `https://a.example/?state=${x}`, denied: true, notListed: true, serverId: x }),
    askAccess: askAccessPage(page, { csrf: x, user, server: { id: x, name: x }, state: { is: 'free' }, message: x, problem: 'long' }),
    askedAccess: askAccessPage(page, { csrf: x, user, server: { id: x, name: x }, state: { is: 'open', at: 1, until: 2 } }),
    accessDenied: askAccessPage(page, { csrf: x, user, server: { id: x, name: x }, state: { is: 'denied', at: 1, until: 2 } }),
    accessAllowed: askAccessPage(page, { csrf: x, user, server: { id: x, name: x }, state: { is: 'allowed' } }),
    denied: returnPage(page, { client, href: `https://a.example/?state=${x}`, denied: true }),
    posted: returnPage(page, { client, href: 'https://a.example/cb', fields: { state: x, [x]: x }, denied: false }),
    error: errorPage(page, {
      code: x,
      title: x,
      text: x,
      forUser: x,
      forDeveloper: x,
      fixes: [{ label: x, text: x }],
      details: [[x, x]],
      requestId: x,
      continueTo: { href: x, host: x },
    }),
    elsewhere: errorPage(page, { code: x, title: x, text: x, forUser: x, requestId: x, goTo: { href: '/t/acme/device', place: 'device' } }),
    onward: errorPage(page, { code: x, title: x, text: x, forUser: x, requestId: x, continueTo: { href: `https://a.example/?${x}`, host: x } }),
    onwardByForm: errorPage(page, {
      code: x,
      title: x,
      text: x,
      forUser: x,
      requestId: x,
      continueTo: { href: 'https://a.example/cb', host: x, fields: { state: x } },
    }),
    signOut: signOutPage(page, { csrf: x, user }),
    signOutOfAll: signOutPage(page, { csrf: x, user, others: 2 }),
    signedOut: signedOutPage(page),
    home: homePage(page, { signedInAs: x }),
    agents: connectedAgentsPage(page, {
      csrf: x,
      user,
      allPaused: true,
      done: { did: 'paused', name: x },
      filter: { server: x, unused: true, servers: [{ resource: x, name: x }] },
      agents: [
        { ...agent, lastUsed: 1, endsAt: 1, stopped: 'person' as const, from: { address: x, userAgent: x }, week: { actions: 1, refused: 2 } },
        {
          ...agent,
          stopped: 'operator' as const,
          through: { serverName: x, agents: [{ client: { ...client, tier: 'dynamic' as const }, serverName: x, lastUsed: 1 }] },
        },
        { ...agent, through: { serverName: x, agents: [] } },
      ],
    }),
    agentsOffer: connectedAgentsPage(page, { csrf: x, user, agents: [], passkeyOffer: { csrf: x } }),
    agentGone: connectedAgentsPage(page, { csrf: x, user, agents: [], done: { did: 'disconnected', name: x, at: 1 } }),
    account: accountPage(page, { csrf: x, user, agents: 2, usedToday: 1, allPaused: true, passkeys: 1, twoStep: true, sessions: 1, passkeyOffer: { csrf: x } }),
    profile: profilePage(page, { csrf: x, user: { ...user, username: x }, recent: false, saved: true, wrongName: x }),
    deleteAccount: deleteAccountPage(page, { csrf: x, username: x, problem: 'owner' }),
    deleted: deletedPage(page),
    activity: activityPage(page, {
      csrf: x,
      user,
      entries: [
        {
          kind: 'run',
          grantId: x,
          client,
          serverName: x,
          at: 1,
          until: 2,
          actions: [
            { name: x, outcome: 'allowed', missing: [], times: 38 },
            { name: x, outcome: 'refused', missing: ['files:write', x], times: 1 },
            { name: x, outcome: 'refused', missing: [], times: 1 },
          ],
        },
        { kind: 'happening', what: 'reused', at: 1, actor: { client: { ...client, tier: 'dynamic' }, serverName: x } },
        { kind: 'happening', what: 'paused', at: 1 },
        { kind: 'happening', what: 'lapsed.unused', at: 1, days: 30 },
      ],
      more: true,
      agents: [{ grantId: x, actor: { client, serverName: x } }],
      chosen: { agent: x, result: 'refused', day: '2026-11-21' },
      silent: [{ client, serverName: x, lastUsed: 1 }],
      keptDays: 30,
      query: '?day=2026-11-21',
      passwords: true,
      stopped: { client, serverName: x },
    }),
    noActivity: activityPage(page, { csrf: x, user, entries: [], more: false, agents: [], chosen: {}, silent: [], keptDays: 0, query: '', passwords: true }),
    noAgents: connectedAgentsPage(page, { csrf: x, user, agents: [] }),
    setup: setupPage(page, { token: x, csrf: x, minLength: 12, username: x, email: x, errors: [{ field: 'email', problem: 'invalid' }] }),
    disconnectAll: disconnectAllPage(page, { csrf: x, agents: 2 }),
    reduce: reducePage(page, { csrf: x, grantId: x, client, serverName: x, scopes, endsAt: 1, sooner: ['8_hours'], error: 'nothingLeft' }),
    paused: pausedPage(page, { tx: x, csrf: x, client, user, serverName: x, by: 'agent' }),
    allPaused: pausedPage(page, { tx: x, csrf: x, client, user, serverName: x, by: 'all' }),
    held: pausedPage(page, { tx: x, csrf: x, client, user, serverName: x, by: 'hold' }),
    setupDone: setupDonePage(page, { ownerToken: x, exampleCurl: x }),
    device: deviceEntryPage(page, { csrf: x, user, userCode: x, error: 'unknown', lifetimeSeconds: 600 }),
    devicePrefilled: deviceEntryPage(page, { csrf: x, user, userCode: x, prefilled: true, lifetimeSeconds: 600 }),
    deviceConfirm: deviceConfirmPage(page, {
      csrf: x,
      client,
      user,
      server: consent.server,
      scopes,
      offline: true,
      lasts: consent.lasts,
      userCode: x,
      requestedAt: 1_699_999_960,
      address: x,
      sameNetwork: false,
      technical: { clientId: x, scope: x, resource: x },
    }),
    deviceDone: deviceDonePage(page, { allowed: true }),
    deviceDenied: deviceDonePage(page, { allowed: false }),
    signInForDevice: signInPage(page, { csrf: x, device: { userCode: x } }),
    code: codeDisplayPage(page, { code: x, state: x, clientName: x }),
    notice: noticePage(page, { title: x, text: x }),
  };
}

/** Tags with their attributes, as a browser's tokenizer would see quoted attributes. */
const tagsOf = (html: string) => html.match(/<[a-zA-Z!/](?:"[^"]*"|[^">])*>/g) ?? [];

const ordinary = everyPage('Ada');
const attacks = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</title><svg onload=alert(1)>',
  '&lt;b&gt;',
  '{host}',
  '0;url=javascript:alert(1)',
];

test('[LOG-10] [CON-01] [DCR-15] text from outside never becomes markup: the tags are those of a harmless text', () => {
  const shape = (html: string) => tagsOf(html).map((tag) => tag.replace(/"[^"]*"/g, '""'));

  for (const attack of attacks) {
    for (const [name, html] of Object.entries(everyPage(attack)))
      assert.deepEqual(shape(html).length, shape(ordinary[name] ?? '').length, `${name}: ${attack}`);
  }
});

test('[LOG-10] arbitrary text leaves no element, attribute or event handler behind', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', '=', ' ', 'a', 'onerror', 'script', '{', '}', '/', '`', '\n', ';') }), (text) => {
      for (const html of Object.values(everyPage(text))) {
        assert.doesNotMatch(
          tagsOf(html)
            .join('\n')
            .replace(/"[^"]*"/g, ''),
          /\bon\w+=|<script(?! src)/i,
        );
      }
    }),
    { numRuns: 40 },
  );
});

test('[LOG-10] no link, form or refresh leads to a scheme that runs in the browser', () => {
  for (const attack of ['javascript:alert(1)', 'data:text/html,<script>1</script>', 'vbscript:x']) {
    for (const html of Object.values(everyPage(attack))) {
      assert.doesNotMatch(html, /(?:href|action|src)="\s*(?:javascript|vbscript|data:text)/i);
      assert.doesNotMatch(html, /url=\s*(?:javascript|vbscript|data)/i);
    }
  }
});

test('[LOG-10] no page has an inline script, an inline style or an event handler, so the content policy can forbid them', () => {
  for (const [name, html] of Object.entries(ordinary)) {
    assert.doesNotMatch(html, /<style|\sstyle=|\son[a-z]+=|javascript:/i, name);
    assert.deepEqual(html.match(/<script[^>]*>/g), [`<script src="/t/acme${scriptAsset.path}" defer>`], name);
  }
});

test('[AZ-28] [CIMD-17] no page asks for anything from another origin, and none embeds a picture of a client', () => {
  for (const [name, html] of Object.entries(everyPage('https://evil.example/logo.png'))) {
    const subresources = tagsOf(html).filter((tag) => /^<(script|link|img|iframe|object|embed|audio|video|source|image|use)\b/i.test(tag));

    assert.deepEqual(
      subresources.map((tag) => /(?:src|href)="([^"]*)"/.exec(tag)?.[1]?.replace(/^data:image\/svg\+xml,.*/, 'data:')),
      ['data:', `/t/acme${stylesheetAsset.path}`, '/t/acme/assets/accent/1a73e8', `/t/acme${scriptAsset.path}`],
      name,
    );
  }
  // The one thing the script asks for is an address on the page, which is of our own making.
  for (const { body } of assets)
    assert.doesNotMatch(body.replace('fetch(button.dataset.request,', ''), /@import|url\(|https?:\/\/|fetch\(|XMLHttpRequest|import\(/);
  for (const html of Object.values(everyPage('https://evil.example'))) assert.doesNotMatch(html, /data-request="(?!\/t\/acme\/)/);
});

test('no page shows a piece of its template', () => {
  for (const [name, html] of Object.entries(everyPage('plain'))) assert.doesNotMatch(html.replace(/="[^"]*"/g, ''), /[{}]|undefined|\[object/, name);
});

test('every page is under 30 kB and the script under 7 kB', () => {
  for (const [name, html] of Object.entries(ordinary)) assert.ok(Buffer.byteLength(html) < 30_000, name);
  assert.ok(Buffer.byteLength(scriptAsset.body) < 7_000);
});

test('every page has its language, one heading of the first rank, one main part and a skip link to it', () => {
  for (const [name, html] of Object.entries(ordinary)) {
    assert.match(html, /<html lang="en" dir="ltr">/, name);
    assert.equal(html.match(/<h1/g)?.length, 1, name);
    assert.equal(html.match(/<main id="main"/g)?.length, 1, name);
    assert.match(html, /<a class="skip" href="#main">/, name);
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map((match) => match[1]);
    assert.equal(new Set(ids).size, ids.length, `${name}: ids are unique`);
    for (const [, references] of html.matchAll(/aria-(?:describedby|labelledby)="([^"]*)"/g)) {
      for (const id of references?.split(' ') ?? []) assert.ok(ids.includes(id), `${name}: ${id} exists`);
    }
  }
});

/** Pages that hand an answer to a client by a form. */
const toClient = ['posted', 'onwardByForm'];

test('every form posts under the base of its tenant, or an answer to its client, and every input but a hidden one has a label', () => {
  for (const [name, html] of Object.entries(ordinary)) {
    for (const [form] of html.matchAll(/<form[^>]*>/g))
      assert.match(
        form,
        toClient.includes(name) ? /^<form method="post" action="https:\/\/a\.example\/cb"/ : /^<form method="(?:post|get)" action="\/t\/acme\//,
        name,
      );
    for (const [input] of html.matchAll(/<input(?![^>]*type="(?:hidden|checkbox|radio)")[^>]*>/g))
      assert.ok(html.includes(`<label for="${/ id="([^"]*)"/.exec(input)?.[1]}"`), `${name}: ${input}`);
    // A tick that is there already may keep what was allowed or end something, and never allow.
    if (!['agents', 'reduce', 'password'].includes(name)) assert.doesNotMatch(html, /<input type="checkbox"[^>]* checked/, name);
  }
});

test('a right-to-left language turns the page', () => {
  assert.match(
    noticePage({ ...wordsFor('en'), language: 'ar', dir: 'rtl', serviceName: 'x', host: 'x', requestId: 'x', base: '' }, { title: 'x', text: 'x' }),
    /<html lang="ar" dir="rtl">/,
  );
});
