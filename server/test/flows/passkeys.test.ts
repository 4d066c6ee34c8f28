/**
 * Passkeys from end to end, with an authenticator in software that also lies: making one, signing in with it, everything that must be refused, and keeping the last
 * way in. Browsers and their own authenticators are in e2e/.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { auditEvent } from '../../src/audit/event.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { type Authenticator, authenticator, type Lies } from '../authenticator.ts';
import { type Browser, openBrowser, type Page } from '../browser.ts';
import { form, issuer } from '../harness.ts';
import { password, type Stage, signInOn, stage } from './authorize-stage.ts';

const sessionCookie = '__Host-aa_session';
const refusal = /passkey was not accepted/;

type Request = { challenge: string; user: { id: string } };

/** What the script of a page would do: asks the server what to ask an authenticator for. */
async function requestOn(on: Stage, browser: Browser, page: Page, path: string): Promise<Request> {
  const { fields } = page.forms.find((one) => one.fields.some(({ name }) => name === 'credential')) ?? assert.fail('no form for a credential');
  const csrf = fields.find(({ name }) => name === 'csrf')?.value ?? '';
  const tx = fields.find(({ name }) => name === 'tx')?.value;
  const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ');
  const response = await on.request(path, form({ csrf, ...(tx ? { tx } : {}) }, { Cookie: cookie, Accept: 'application/json', Origin: 'null' }));
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Request;
}

async function addTo(on: Stage, browser: Browser, key: Authenticator, lies?: Lies, base = ''): Promise<Page> {
  const page = await browser.open(`${base}/account/security`);
  const request = await requestOn(on, browser, page, `${base}/account/security/passkeys/request`);
  return browser.submit(page, { credential: key.create(request, lies) });
}

async function signInWith(on: Stage, browser: Browser, key: Authenticator, lies?: Lies, path = '/login'): Promise<Page> {
  const page = await browser.open(path);
  const request = await requestOn(on, browser, page, '/login/passkey');
  return browser.submit(page, { credential: key.get(request, lies) });
}

let visitors = 0;
/** A browser somewhere else, so that nobody waits for what others have tried. */
function visitor(on: Stage, address = `2001:db8:${(++visitors).toString(16)}::1`): Browser {
  return openBrowser((url, init) => on.request(url, { ...init, address } as RequestInit), issuer);
}

const isIn = (browser: Browser) => browser.cookies.has(sessionCookie);

describe('signing in with a passkey', () => {
  let on: Stage;
  const key = authenticator();
  before(async () => {
    on = await stage();
    assert.match((await addTo(on, await on.signedIn(), key)).html, /Passkey added/);
  });
  after(() => on.close());

  test('[LOG-01] [LOG-04] the person is in, in a new session that counts as several factors, and the waiting request goes on', async () => {
    const browser = visitor(on);
    const page = await browser.open(on.url({ acr_values: 'aal2' }));
    const request = await requestOn(on, browser, page, '/login/passkey');
    const consent = await browser.submit(page, { credential: key.get(request), keep: '1' });

    assert.match(consent.url, /\/authorize\/consent\?tx=/);
    const session = await on.store.findSession(sha256(browser.cookies.get(sessionCookie) ?? ''), on.clock.now());
    assert.deepEqual(session?.session.amr, ['swk', 'user', 'mfa']);
    assert.equal(session?.session.idleSeconds, on.context.options.keptSessionIdleSeconds);
    const [stored] = await on.store.listPasskeys(on.user.id);
    assert.equal(stored?.lastUsedAt, on.clock.now());
  });

  test('[AZ-23] who has just signed in with less than was asked for, and has no passkey, is not asked again: the client hears of it', async () => {
    await on.addUser({ username: 'plain', password });
    const browser = visitor(on);
    const page = await browser.open(on.url({ acr_values: 'aal2' }));
    assert.match(page.html, /asks for more than a password/);
    on.clock.advance(2);
    const back = await signInOn(browser, page, 'plain');

    assert.match(back.refresh ?? '', /[?&]error=unmet_authentication_requirements&/);
    const owner = visitor(on);
    const again = await signInOn(owner, await owner.open(on.url({ acr_values: 'aal2' })));
    assert.match(again.title, /^Confirm it's you/);
    const request = await requestOn(on, owner, again, '/login/passkey');
    assert.match((await owner.submit(again, { credential: key.get(request) })).url, /\/authorize\/consent/);
  });

  for (const algorithm of ['EdDSA', 'RS256'] as const) {
    test(`a passkey of ${algorithm} opens the door too`, async () => {
      const other = authenticator({ algorithm });
      assert.match((await addTo(on, await on.signedIn(), other, { format: 'packed', statement: 'signed' })).html, /Passkey added/);
      const browser = visitor(on);
      await signInWith(on, browser, other);

      assert.equal(isIn(browser), true);
    });
  }

  test('a passkey that stays on its device is told apart from one that is synchronised', async () => {
    const bound = authenticator({ synced: false });
    await addTo(on, await on.signedIn(), bound);
    const browser = visitor(on);
    await signInWith(on, browser, bound);

    const session = await on.store.findSession(sha256(browser.cookies.get(sessionCookie) ?? ''), on.clock.now());
    assert.deepEqual(session?.session.amr, ['hwk', 'user', 'mfa']);
  });

  const stranger = authenticator();
  const lies: [what: string, lies: Lies][] = [
    ['of another origin', { origin: 'https://auth.example.com.evil.example' }],
    ['of our origin on another port', { origin: `${issuer}:8443` }],
    ['for another relying party', { rpId: 'evil.example' }],
    ['for a parent of our host', { rpId: 'example.com' }],
    ['without a verified person', { verified: false }],
    ['without anybody present', { present: false }],
    ['of another ceremony', { type: 'webauthn.create' }],
    ['made in a frame', { crossOrigin: true }],
    ['signed with another key', { key: stranger.key }],
    ['of a credential that nobody has', { credentialId: stranger.credentialId }],
    ['for another person', { userHandle: Buffer.from('usr_somebody').toString('base64url') }],
    ['that names no person', { userHandle: null }],
    ['that says it may now leave its device', { eligible: false }],
  ];
  for (const [what, told] of lies) {
    test(`an answer ${what} is refused like any other, and nobody is in`, async () => {
      const browser = visitor(on);
      const page = await signInWith(on, browser, key, told);

      assert.equal(page.status, 400);
      assert.match(page.html, refusal);
      assert.equal((await on.store.listEvents({ type: 'user.sign_in_failed', limit: 1 }))[0]?.actor, 'anonymous');
      assert.equal(isIn(browser), false);
    });
  }

  test('[LOG-11] a challenge is good once, also for an answer that failed', async () => {
    for (const first of [{}, { verified: false }]) {
      const browser = visitor(on);
      const login = await browser.open('/login');
      const request = await requestOn(on, browser, login, '/login/passkey');
      await browser.submit(login, { credential: key.get(request, first) });
      browser.cookies.delete(sessionCookie);

      const again = await browser.submit(login, { credential: key.get(request) });
      assert.deepEqual([again.status, isIn(browser)], [400, false]);
    }
  });

  test('[LOG-03] [LOG-11] a challenge is good in its own browser, for its own purpose and for five minutes', async () => {
    const theirs = visitor(on);
    const stolen = await requestOn(on, theirs, await theirs.open('/login'), '/login/passkey');
    const browser = visitor(on);
    const login = await browser.open('/login');
    assert.equal((await browser.submit(login, { credential: key.get(stolen) })).status, 400);

    const member = await on.signedIn();
    const forCreation = await requestOn(on, member, await member.open('/account/security'), '/account/security/passkeys/request');
    assert.equal((await member.submit(await member.open('/login?switch=1'), { credential: key.get(forCreation) })).status, 400);

    for (const [seconds, status] of [
      [299, 200],
      [300, 400],
    ] as const) {
      const fresh = visitor(on);
      const page = await fresh.open('/login');
      const request = await requestOn(on, fresh, page, '/login/passkey');
      on.clock.advance(seconds);
      assert.equal((await fresh.submit(page, { credential: key.get(request) })).status, status, `${seconds} seconds`);
    }
  });

  test('a counter that goes back refuses the sign-in and is recorded, without ending the passkey', async () => {
    const counting = authenticator({ counts: true });
    await addTo(on, await on.signedIn(), counting);
    await signInWith(on, visitor(on), counting);
    counting.counter = 5;
    await signInWith(on, visitor(on), counting);
    const copy = visitor(on);
    const page = await signInWith(on, copy, counting, { counter: 2 });

    assert.deepEqual([page.status, isIn(copy)], [400, false]);
    const [event] = await on.store.listEvents({ type: 'passkey.counter_went_back', limit: 5 });
    assert.equal(event?.userId, on.user.id);
    const original = visitor(on);
    await signInWith(on, original, counting);
    assert.equal(isIn(original), true);
  });

  test('[LOG-11] [LOG-05] after three failures with one credential each try waits, from that address', async () => {
    const from = () => visitor(on, '192.0.2.77');
    const statuses: number[] = [];
    for (let tries = 0; tries < 4; tries++) statuses.push((await signInWith(on, from(), key, { verified: false })).status);

    assert.deepEqual(statuses, [400, 400, 400, 429]);
    assert.equal((await signInWith(on, visitor(on), key)).status, 200);
  });

  test('[LOG-02] the request for a challenge needs the token of the form, and another site gets none', async () => {
    const browser = visitor(on);
    await browser.open('/login');
    const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ');
    for (const headers of [{}, { 'Sec-Fetch-Site': 'cross-site' }] as Record<string, string>[]) {
      const response = await on.request('/login/passkey', form({ csrf: 'made up' }, { ...headers, Cookie: cookie, Accept: 'application/json' }));
      assert.equal(response.status, 403);
      assert.equal(((await response.json()) as { error: string }).error, 'invalid_form');
      assert.equal(response.headers.get('access-control-allow-origin'), null);
    }
  });

  test('a disabled person is told so only by their own passkey', async () => {
    const { auditEvent } = await import('../../src/audit/event.ts');
    const gone = await on.addUser({ username: 'gone', password });
    const theirs = authenticator();
    const browser = visitor(on);
    await signInOn(browser, await browser.open('/login'), 'gone');
    await addTo(on, browser, theirs);
    await on.store.setUserDisabled(gone.id, true, auditEvent('user.disabled', on.clock.now(), 'test'));

    assert.match((await signInWith(on, visitor(on), theirs)).html, /switched off/);
    assert.match((await signInWith(on, visitor(on), theirs, { verified: false })).html, refusal);
  });

  test('whatever is sent as a credential is refused with a page, and nobody is in', async () => {
    const text = fc.oneof(fc.string(), fc.json(), fc.constantFrom('{}', 'null', '[]', '"x"'));
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((one) => Buffer.from(one).toString('base64url')),
      fc.string(),
      fc.constant(undefined),
      fc.constant(null),
    );
    const shaped = fc
      .record({ id: bytes, clientDataJSON: bytes, authenticatorData: bytes, signature: bytes, userHandle: bytes, attestationObject: bytes })
      .map(({ id, ...response }) => JSON.stringify({ id, rawId: id, type: 'public-key', response }));
    const browser = visitor(on);
    const login = await browser.open('/login');
    const member = await on.signedIn();
    const page = await member.open('/account/security');

    await fc.assert(
      fc.asyncProperty(fc.oneof(text, shaped), async (credential) => {
        const answer = await browser.submit(login, { credential, username: 'ada', password: 'wrong' });
        assert.ok(answer.status === 400 || answer.status === 429, `${answer.status}`);
        assert.equal(isIn(browser), false);
        assert.equal((await member.submit(page, { credential })).status, 200);
      }),
      { numRuns: 60 },
    );
    assert.equal(on.logged.filter((line) => line.startsWith('error')).length, 0);
  });

  test('a signed answer whose bytes were changed anywhere signs nobody in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('clientDataJSON', 'authenticatorData', 'signature'),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (member, at, by) => {
          const browser = visitor(on);
          const login = await browser.open('/login');
          const given = JSON.parse(key.get(await requestOn(on, browser, login, '/login/passkey')));
          const changed = Buffer.from(given.response[member], 'base64url');
          changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ by;
          given.response[member] = changed.toString('base64url');

          await browser.submit(login, { credential: JSON.stringify(given) });
          assert.equal(isIn(browser), false);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('making a passkey', () => {
  let on: Stage;
  before(async () => {
    on = await stage();
  });
  after(() => on.close());

  test('it is asked for as one that finds its person, who is verified and is not named by our own id', async () => {
    const browser = await on.signedIn();
    const request = await requestOn(on, browser, await browser.open('/account/security'), '/account/security/passkeys/request');
    const { rp, pubKeyCredParams, authenticatorSelection, attestation, user } = request as unknown as Record<string, Record<string, unknown>>;

    assert.deepEqual(rp, { id: 'auth.example.com', name: 'Auth-Agent' });
    assert.deepEqual(authenticatorSelection, { residentKey: 'required', requireResidentKey: true, userVerification: 'required' });
    assert.deepEqual(
      (pubKeyCredParams as unknown as { alg: number }[]).map(({ alg }) => alg),
      [-8, -7, -257],
    );
    assert.equal(attestation, 'none');
    assert.equal(Buffer.from(String(user?.id), 'base64url').length, 32);
    assert.doesNotMatch(JSON.stringify(user), new RegExp(on.user.id));
  });

  const key = authenticator();
  const lies: [what: string, lies: Lies][] = [
    ['of another origin', { origin: 'https://evil.example' }],
    ['for another relying party', { rpId: 'evil.example' }],
    ['of an unverified person', { verified: false }],
    ['of another ceremony', { type: 'webauthn.get' }],
    ['made in a frame', { crossOrigin: true }],
    ['under another id than it carries', { credentialId: authenticator().credentialId }],
    ['that comes with certificates', { format: 'packed', statement: 'certified' }],
    ...['tpm', 'apple', 'android-key', 'android-safetynet', 'fido-u2f', 'made-up'].map((format): [string, Lies] => [
      `with a statement of its maker (${format})`,
      { format, statement: 'certified' },
    ]),
  ];
  for (const [what, told] of lies) {
    test(`a key ${what} is not taken`, async () => {
      const page = await addTo(on, await on.signedIn(), key, told);

      assert.match(page.html, /could not be added/);
      assert.deepEqual(await on.store.listPasskeys(on.user.id), []);
    });
  }

  test('a key that vouches for itself is taken, and one whose word is false is not', async () => {
    const browser = await on.signedIn();
    const vouching = { format: 'packed', statement: 'signed' } as const;
    const own = authenticator();

    assert.match((await addTo(on, browser, own, { ...vouching, key: authenticator().key })).html, /could not be added/);
    assert.match((await addTo(on, browser, own, { ...vouching, alg: -257 })).html, /could not be added/);
    assert.match((await addTo(on, browser, own, vouching)).html, /Passkey added/);
  });

  test('[LOG-03] a challenge makes a key in the session it was made for, and in no other of the same browser', async () => {
    const browser = await on.signedIn();
    const page = await browser.open('/account/security');
    const request = await requestOn(on, browser, page, '/account/security/passkeys/request');
    await on.addUser({ username: 'mallory', password });
    const other = on.browser();
    await signInOn(other, await other.open('/login'), 'mallory');
    const theirs = await other.open('/account/security');

    assert.match((await other.submit(theirs, { credential: authenticator().create(request) })).html, /could not be added/);
    const mine = await requestOn(on, browser, page, '/account/security/passkeys/request');
    await signInOn(browser, await browser.open('/login?switch=new'), 'mallory');
    const here = await browser.open('/account/security');
    assert.match((await browser.submit(here, { credential: authenticator().create(mine) })).html, /could not be added/);
    await signInOn(browser, await browser.open('/login?switch=new'));
  });

  test('[LOG-11] a challenge makes one key', async () => {
    const browser = await on.signedIn();
    const page = await browser.open('/account/security');
    const request = await requestOn(on, browser, page, '/account/security/passkeys/request');
    assert.match((await browser.submit(page, { credential: authenticator().create(request) })).html, /Passkey added/);
    assert.match((await browser.submit(page, { credential: authenticator().create(request) })).html, /could not be added/);
  });

  test('a key that somebody has is nobody else’s', async () => {
    const shared = authenticator();
    assert.match((await addTo(on, await on.signedIn(), shared)).html, /Passkey added/);
    await on.addUser({ username: 'eve', password });
    const eve = on.browser();
    await signInOn(eve, await eve.open('/login'), 'eve');

    assert.match((await addTo(on, eve, shared)).html, /already in use/);
  });

  test('[LOG-02] changing how one signs in needs the token of the form and a recent sign-in', async () => {
    const browser = await on.signedIn();
    const page = await browser.open('/account/security');
    const [mine] = await on.store.listPasskeys(on.user.id);
    const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ');
    for (const path of ['passkeys', 'passkeys/request', 'passkeys/rename', 'passkeys/remove', 'passkeys/later', 'sessions/end', 'sessions/end-all']) {
      const forged = await on.request(`/account/security/${path}`, form({ csrf: 'x', passkey: mine?.id ?? '' }, { Cookie: cookie }));
      assert.equal(forged.status, 403, path);
    }

    on.clock.advance(601);
    const late = await browser.submit(page, { passkey: mine?.id ?? '' }, undefined);
    assert.doesNotMatch(late.title, /^Confirm/);
    const removal = page.forms.find(({ action }) => action.endsWith('/remove'));
    const confirm = await browser.submit({ ...page, forms: removal ? [removal] : [] });
    assert.match(confirm.title, /^Confirm it's you/);
    assert.doesNotMatch((await browser.open('/account/security')).html, /Add a passkey|>Remove</);
    assert.equal(new URL((await signInOn(browser, confirm)).url).pathname, '/account/security');
    assert.ok((await on.store.findPasskey(mine?.credentialId ?? '')) !== undefined);
  });

  test('a stranger’s address makes the page say nothing', async () => {
    const browser = await on.signedIn();
    for (const notice of ['passkey-removed', 'passkey-removed.x', `passkey-removed.${'A'.repeat(22)}`, '.', 'constructor.x'])
      assert.doesNotMatch((await browser.open(`/account/security?notice=${notice}`)).html, /Passkey removed|role="alert"><p>/);
  });
});

describe('keeping passkeys', () => {
  let on: Stage;
  before(async () => {
    on = await stage();
  });
  after(() => on.close());
  const named = (page: Page, action: string): Page => ({ ...page, forms: page.forms.filter((one) => one.action.endsWith(action)) });

  test('the person names one, and what is in the name is only text', async () => {
    const browser = await on.signedIn();
    const page = await addTo(on, browser, authenticator({ aaguid: Buffer.from('bada5566a7aa401fbd9645619a55120d', 'hex') }));
    assert.match(page.html, /1Password/);

    const renamed = await browser.submit(named(page, '/rename'), { name: '<b>Blue‮ key</b>' });
    assert.match(renamed.html, /Name saved/);
    assert.match(renamed.html, /&lt;b&gt;Blue key&lt;\/b&gt;/);
  });

  test('one of several ways in can be removed, and is of no more use', async () => {
    const browser = await on.signedIn();
    const key = authenticator();
    await on.addUser({ username: 'rita', password });
    await signInOn(browser, await browser.open('/login?switch=1'), 'rita');
    const page = await addTo(on, browser, key);

    assert.match((await browser.submit(named(page, '/remove'))).html, /Passkey removed/);
    assert.match((await signInWith(on, on.browser(), key)).html, refusal);
  });

  test('the last way in stays: its form is not there, and is refused when it is sent all the same', async () => {
    const lone = await on.addUser({ username: 'lone' });
    const [one, two] = [authenticator(), authenticator()];
    const browser = on.browser();
    const { auditEvent } = await import('../../src/audit/event.ts');
    const now = on.clock.now();
    await browser.open('/login');
    const session = { idHash: sha256('l'.repeat(43)), userId: lone.id, authTime: now, createdAt: now, seenAt: now, idleSeconds: 3600, expiresAt: now + 3600 };
    await on.store.startSession(session, undefined, auditEvent('user.signed_in', now, 'test'));
    browser.cookies.set(sessionCookie, 'l'.repeat(43));
    await addTo(on, browser, one);
    const page = await addTo(on, browser, two);

    const [first, second] = named(page, '/remove').forms;
    const removed = await browser.submit({ ...page, forms: first ? [first] : [] });
    assert.match(removed.html, /Passkey removed/);
    assert.match(removed.html, /only way in/);
    assert.equal(named(removed, '/remove').forms.length, 0);
    assert.match((await browser.submit({ ...page, forms: second ? [second] : [] })).html, /only way in/);
    assert.equal((await on.store.listPasskeys(lone.id)).length, 1);
  });

  test('another person’s passkey can be neither named nor removed', async () => {
    const browser = await on.signedIn();
    const page = await addTo(on, browser, authenticator());
    await on.addUser({ username: 'oscar', password });
    const oscar = on.browser();
    await signInOn(oscar, await oscar.open('/login'), 'oscar');
    const theirs = await addTo(on, oscar, authenticator());
    const mine = page.forms.find(({ action }) => action.endsWith('/remove'))?.fields.find(({ name }) => name === 'passkey')?.value ?? '';

    assert.match((await oscar.submit(named(theirs, '/remove'), { passkey: mine })).html, /no longer there/);
    assert.match((await oscar.submit(named(theirs, '/rename'), { passkey: mine, name: 'stolen' })).html, /no longer there/);
    assert.ok((await on.store.listPasskeys(on.user.id)).some(({ id, name }) => id === mine && name !== 'stolen'));
  });

  test('tenants of one host do not take one another’s passkeys', async () => {
    await on.server.storage.addTenant({ tenant: 'acme', name: 'Acme', createdAt: on.clock.now() });
    const bob = { id: 'usr_bob', username: 'bob', role: 'user' as const, createdAt: on.clock.now() };
    await on.server.storage.forTenant('acme').addUser(bob, auditEvent('user.added', on.clock.now(), 'test'));
    const key = authenticator();
    await addTo(on, await on.signedIn(), key);
    const browser = on.browser();
    const page = await browser.open('/t/acme/login');
    const request = await requestOn(on, browser, page, '/t/acme/login/passkey');
    const root = on.browser();
    const rootPage = await root.open('/login');

    assert.equal((await browser.submit(page, { credential: key.get(request) })).status, 400);
    assert.equal((await root.submit(rootPage, { credential: key.get(request) })).status, 400);
  });

  test('switched off, there is neither button nor door, and what was there opens nothing', async () => {
    const off = await stage({ signIn: { passkeys: false, totp: false } });
    const browser = await off.signedIn();
    const page = await browser.open('/account/security');
    const login = await off.browser().open('/login');

    assert.doesNotMatch(page.html + login.html, /data-passkey/);
    assert.match(page.html, /Where you are signed in/);
    const metadata = await (await off.request('/.well-known/oauth-authorization-server')).json();
    assert.deepEqual((metadata as { acr_values_supported: string[] }).acr_values_supported, ['aal1']);
    await off.close();
  });
});

describe('the offer of a passkey', () => {
  test('it comes after the first agent was let in, and never again once it was declined', async () => {
    const on = await stage();
    const browser = await on.signedIn();
    assert.doesNotMatch((await browser.open('/account/agents')).html, /Not now/);
    await browser.submit(await browser.open(on.url()), {}, 'allow');

    const page = await browser.open('/account/agents');
    assert.match(page.html, /Not now/);
    const later = { ...page, forms: page.forms.filter(({ action }) => action.endsWith('/later')) };
    assert.doesNotMatch((await browser.submit(later)).html, /Not now/);
    on.clock.advance(90 * 86400);
    assert.doesNotMatch((await (await on.signedIn()).open('/account/agents')).html, /Not now/);
    await on.close();
  });
});

test('the person is told by mail of each passkey that is added or removed, and of no other name', async () => {
  const sent: string[] = [];
  const on = await stage({
    sendMail: async ({ subject }) => {
      sent.push(subject);
      return 'sent';
    },
  });
  const browser = await on.signedIn();
  await addTo(on, browser, authenticator());
  await addTo(on, browser, authenticator());
  const [first] = await on.store.listPasskeys(on.user.id);
  const submit = async (path: string, more: Record<string, string>) => {
    const page = await browser.open('/account/security');
    const chosen = page.forms.find(({ action, fields }) => action.endsWith(path) && fields.some(({ value }) => value === first?.id)) ?? assert.fail(path);
    return browser.submit({ ...page, forms: [chosen] }, more);
  };
  await submit('passkeys/rename', { name: 'Laptop' });
  await submit('passkeys/remove', {});
  await on.server.maintain();

  assert.deepEqual(sent, ['A passkey was added at Auth-Agent', 'A passkey was added at Auth-Agent', 'A passkey was removed at Auth-Agent']);
  await on.close();
});
