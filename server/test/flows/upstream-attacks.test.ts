/**
 * Everything that somebody could try on the way to an upstream and back: each is refused with a page of ours, nobody is signed in, nothing is linked.
 */
import assert from 'node:assert/strict';
import { createHmac, createPublicKey } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { FetchFailure } from '../../src/clients/fetch-failure.ts';
import type { ServerOptions } from '../../src/options.ts';
import type { Browser, Page } from '../browser.ts';
import { issuer, start } from '../harness.ts';
import { forged, signer } from '../signer.ts';
import { upstreamProvider } from '../upstream-provider.ts';
import { signInOn } from './authorize-stage.ts';
import { type Stage, stage } from './upstream-stage.ts';

const sessionCookie = '__Host-aa_session';
const callback = `${issuer}/login/upstream/acme/callback`;

async function begin(t: TestContext, overrides: Partial<ServerOptions> = {}): Promise<Stage> {
  const on = await stage(overrides);
  t.after(() => on.close());
  await on.linked();
  return on;
}

/** Goes to Acme and comes back at what `answer` makes of the address. */
async function comeBack(on: Stage, answer: (there: string) => string): Promise<{ browser: Browser; page: Page }> {
  const browser = on.browser();
  const there = await on.leave(browser, await browser.open('/login'));
  return { browser, page: await browser.open(answer(there)) };
}

async function nobodyIsIn(on: Stage, browser: Browser): Promise<void> {
  assert.equal(browser.cookies.has(sessionCookie), false);
  assert.equal((await on.store.listEvents({ type: 'user.signed_in', limit: 9 })).length, 0);
  assert.equal((await on.store.listEvents({ type: 'upstream.linked', limit: 9 })).length, 1);
}

const refused = async (on: Stage, browser: Browser, page: Page, title: RegExp, status = 400) => {
  assert.deepEqual([page.status, page.left], [status, false], page.title);
  assert.match(page.title, title);
  await nobodyIsIn(on, browser);
};

describe('the answer of an upstream', () => {
  const over = /^This request is too old/;

  test('[LOG-07] without a state of ours, with a made-up one, or in another browser, it signs nobody in', async (t) => {
    const on = await begin(t);
    for (const state of [undefined, '', 'x', 'A'.repeat(43), 'A'.repeat(5000)]) {
      const { browser, page } = await comeBack(on, (there) => on.acme.agree(there, { state }));
      await refused(on, browser, page, over);
    }
    const attacker = on.browser();
    const there = await on.leave(attacker, await attacker.open('/login'));
    const victim = on.browser();
    await victim.open('/login');
    await refused(on, victim, await victim.open(on.acme.agree(there)), over);
    const stranger = on.browser();
    await refused(on, stranger, await stranger.open(on.acme.agree(there)), over);
  });

  test('[LOG-07] a state is good once, ten minutes long', async (t) => {
    const on = await begin(t);
    const browser = on.browser();
    const address = on.acme.agree(await on.leave(browser, await browser.open('/login')));
    const late = on.acme.agree(await on.leave(browser, await browser.open('/login')));
    await browser.open(address);
    assert.ok(browser.cookies.has(sessionCookie));
    browser.cookies.delete(sessionCookie);
    const tokens = on.acme.asked.length;

    assert.match((await browser.open(address)).title, over);
    on.clock.advance(600);
    assert.match((await browser.open(late)).title, over);
    assert.deepEqual([browser.cookies.has(sessionCookie), on.acme.asked.length], [false, tokens]);
  });

  test('[LOG-07] a code that was redeemed, or begun elsewhere, is worth nothing', async (t) => {
    const on = await begin(t);
    const first = on.browser();
    const code = new URL(on.acme.agree(await on.leave(first, await first.open('/login')))).searchParams.get('code') ?? '';

    // The code of the attacker's own way, injected into the victim's: PKCE and nonce are those of another.
    const { browser, page } = await comeBack(on, (there) => on.acme.agree(there, { code }));
    await refused(on, browser, page, /could not check the answer of Acme/);
  });

  test('[LOG-07] another iss than that of the upstream, or none where it is announced, is refused before any code is sent', async (t) => {
    const on = await begin(t);
    for (const iss of ['https://evil.example', 'https://login.acme.example/', undefined]) {
      const before = on.acme.asked.filter(({ url }) => url.endsWith('/token')).length;
      const { browser, page } = await comeBack(on, (there) => on.acme.agree(there, { iss }));
      await refused(on, browser, page, /could not check/);
      assert.equal(on.acme.asked.filter(({ url }) => url.endsWith('/token')).length, before);
    }
  });

  test('[LOG-07] mix-up: what one upstream answers is taken at its own address only', async (t) => {
    const on = await begin(t);
    const evil = upstreamProvider('https://evil.example', on.clock.now, { metadata: { authorization_response_iss_parameter_supported: undefined } });
    await on.list('evil', evil);
    const browser = on.browser();
    const there = await on.leave(browser, await browser.open('/login'), 'evil');
    // The evil upstream sends the browser on to Acme, with the state that it was given.
    const { searchParams: given } = new URL(there);
    given.set('redirect_uri', callback);
    const back = on.acme.agree(`https://login.acme.example/authorize?${given}`, { iss: undefined });

    await refused(on, browser, await browser.open(back), over);
    assert.equal(evil.asked.filter(({ url }) => url.endsWith('/token')).length, 0);
  });

  test('an error is told in words of ours, and nothing of it is shown or followed', async (t) => {
    const on = await begin(t);
    for (const [error, title, status] of [
      ['access_denied', /^You did not sign in at Acme/, 400],
      ['temporarily_unavailable', /^Acme does not answer/, 502],
      ['<script>', /could not check/, 400],
    ] as const) {
      const extra = { code: undefined, error, error_description: '<b>evil</b> text', error_uri: 'https://evil.example', redirect_uri: 'https://evil.example' };
      const { browser, page } = await comeBack(on, (there) => on.acme.agree(there, extra));
      await refused(on, browser, page, title, status);
      assert.doesNotMatch(page.html, /evil|<script>/);
    }
  });

  test('the way back keeps the request of the agent', async (t) => {
    const on = await begin(t);
    const browser = on.browser();
    const there = await on.leave(browser, await browser.open(on.url()));
    const page = await browser.open(on.acme.agree(there, { code: undefined, error: 'access_denied' }));
    const [, back = ''] = /<a class="button main" href="([^"]+)"/.exec(page.html) ?? [];

    assert.match(back, /^\/login\?tx=tx_[\w-]+$/);
    assert.match((await signInOn(browser, await browser.open(back))).title, /^Allow Claude Code\?/);
  });

  test('a repeated parameter is refused', async (t) => {
    const on = await begin(t);
    for (const more of ['&state=x', '&code=y', '&iss=https://login.acme.example']) {
      const { browser, page } = await comeBack(on, (there) => on.acme.agree(there) + more);
      assert.equal(page.status, 400);
      await nobodyIsIn(on, browser);
    }
  });

  test('whatever comes to the address of return, it is a page of ours and nobody is signed in', async (t) => {
    const on = await begin(t);
    const name = fc.oneof(fc.constantFrom('code', 'state', 'iss', 'error', 'id_token', 'token', 'response', 'access_token', 'session_state'), fc.string());
    const value = fc.oneof(fc.string(), fc.constantFrom('A'.repeat(43), 'https://login.acme.example', 'https://evil.example', '\u202e', '%00'));
    const browser = on.browser();
    await browser.open('/login');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, value), { maxLength: 6 }), fc.boolean(), async (pairs, genuine) => {
        const state = new URL(await on.leave(browser, await browser.open('/login'))).searchParams.get('state') ?? '';
        const query = new URLSearchParams([...pairs.filter(([one]) => !genuine || one !== 'state'), ...(genuine ? [['state', state]] : [])] as [
          string,
          string,
        ][]);
        const page = await browser.open(`${callback}?${query}`);
        assert.ok(page.status >= 400 && page.status < 500, `${page.status} for ${query}`);
        assert.equal(page.left, false);
        assert.equal(browser.cookies.has(sessionCookie), false);
        on.clock.advance(30);
      }),
      { numRuns: 60 },
    );
    await nobodyIsIn(on, browser);
  });
});

describe('an ID token', () => {
  const other = signer('key of https://login.acme.example', 'RS256');
  const hmacOfPublicKey = (on: Stage) => (input: string) =>
    createHmac('sha256', createPublicKey(on.acme.keys.privateKey).export({ format: 'pem', type: 'spki' }))
      .update(input)
      .digest();
  const claims: Record<string, Record<string, unknown>> = {
    'of another issuer': { iss: 'https://evil.example' },
    'for another client': { aud: 'somebody-else' },
    'for several without azp': { aud: ['auth-agent', 'somebody-else'] },
    'for several, of another': { aud: ['auth-agent', 'x'], azp: 'x' },
    'with another nonce': { nonce: 'x' },
    'without a nonce': { nonce: undefined },
    'that has ended': { exp: start - 60 },
    'that never ends': { exp: undefined },
    'not yet valid': { nbf: start + 300 },
    'about nobody': { sub: undefined },
    'about a number': { sub: 1 },
    'about too much': { sub: 'x'.repeat(256) },
  };
  const signatures: Record<string, (made: Record<string, unknown>, on: Stage) => Promise<string> | string> = {
    'with alg none': (made) => forged({ alg: 'none' }, made, () => Buffer.alloc(0)),
    'under another key with the same kid': (made) => other.sign(made),
    'under an unknown key': (made) => other.sign(made, { kid: 'unknown' }),
    'under a key that it brings': (made) => other.sign(made, { kid: undefined, jwk: other.jwk }),
    'with an HMAC of the public key': (made, on) => forged({ alg: 'HS256', kid: on.acme.keys.kid }, made, hmacOfPublicKey(on)),
    'with a broken signature': async (made, on) => `${(await on.acme.keys.sign(made)).slice(0, -8)}AAAAAAAA`,
    'that is none': () => 'x.y.z',
  };
  for (const which of [...Object.keys(claims), ...Object.keys(signatures)]) {
    test(`[LOG-07] ${which} signs nobody in`, async (t) => {
      const on = await begin(t);
      on.acme.claims = claims[which] ?? {};
      on.acme.sign = async (made) => signatures[which]?.(made, on) ?? on.acme.keys.sign(made);
      const { browser, page } = await comeBack(on, (there) => on.acme.agree(there));

      await refused(on, browser, page, /could not check the answer of Acme/);
      assert.ok(on.logged.some((line) => line.startsWith('warn upstream.failed')));
    });
  }

  test('the log names the kinds of errors that a failure is made of', async (t) => {
    const on = await begin(t);
    on.acme.claims = { nonce: 'x' };
    await comeBack(on, (there) => on.acme.agree(there));

    const line = on.logged.find((one) => one.startsWith('warn upstream.failed'));
    assert.match(line ?? '', /"causes":"ClientError OAUTH_\w+, OperationProcessingError OAUTH_\w+"/);
  });

  test('a credential that cannot be opened is a failure of this server, and is not laid upon the upstream', async (t) => {
    const on = await begin(t);
    await on.list('broken', on.acme, { issuer: 'https://broken.example', credentialSealed: 'sealed under another secret, in another life of ours' });
    const browser = on.browser();

    const page = await browser.submit(await browser.open('/login'), {}, 'broken');

    assert.equal(page.status, 500);
    assert.ok(!on.logged.some((line) => line.startsWith('warn upstream.failed')));
  });

  test('nothing of a failure that could help an attacker is logged', async (t) => {
    const on = await begin(t);
    on.acme.claims = { nonce: 'x' };
    await comeBack(on, (there) => on.acme.agree(there));
    const secrets = on.acme.asked.flatMap(({ body }) => [...body].filter(([name]) => /code|secret/.test(name)).map(([, value]) => value));

    assert.ok(secrets.length >= 3);
    for (const secret of secrets) assert.ok(!on.logged.some((line) => line.includes(secret)));
  });

  test('[LOG-07] a changed subject with the same e-mail address is a stranger', async (t) => {
    const on = await begin(t);
    on.acme.claims = { sub: 'subject-2' };
    on.acme.userinfo = { ...on.acme.userinfo, sub: 'subject-2', email: on.user.email };
    const { browser, page } = await comeBack(on, (there) => on.acme.agree(there));

    assert.match(page.title, /^No account here yet/);
    await nobodyIsIn(on, browser);
  });

  test('userinfo about another subject is not taken for the person', async (t) => {
    const on = await begin(t);
    on.acme.claims = { sub: 'subject-2' };
    const { browser, page } = await comeBack(on, (there) => on.acme.agree(there));

    await refused(on, browser, page, /could not check/);
  });
});

describe('an upstream that is broken', () => {
  test('[RATE-06] that stands still holds up fifty requests; whoever comes behind them is told so at once, and then all is well', async (t) => {
    const on = await begin(t);
    let fail = (_: Error) => {};
    const still = new Promise<Response>((_, reject) => {
      fail = reject;
    });
    on.acme.instead = ({ url }) => (url.endsWith('/openid-configuration') ? still : undefined);
    const browsers = Array.from({ length: 51 }, () => on.browser());
    const pages = await Promise.all(browsers.map((browser) => browser.open('/login')));
    const left = browsers.map((browser, index) => browser.submit(pages[index] as Page, {}, 'acme'));

    const first = await Promise.race(left);
    assert.equal(first.status, 503);
    fail(new FetchFailure('timeout', 'no complete answer in time'));
    const statuses = (await Promise.all(left)).map(({ status }) => status);
    assert.deepEqual(statuses.toSorted(), [...Array(50).fill(502), 503]);
    on.acme.instead = undefined;
    const browser = on.browser();
    await browser.open(on.acme.agree(await on.leave(browser, await browser.open('/login'))));
    assert.ok(browser.cookies.has(sessionCookie));
  });

  const broken: Record<string, () => Response | Promise<Response>> = {
    'does not answer': () => Promise.reject(new FetchFailure('timeout', 'no complete answer in time')),
    'answers with too much': () => Promise.reject(new FetchFailure('too-large', 'sent more than allowed')),
    'answers with an error': () => new Response('down', { status: 503 }),
    'answers with HTML': () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } }),
    'answers with something else': () => Response.json([1, 2, 3]),
    'sends the question elsewhere': () => new Response(null, { status: 302, headers: { Location: 'https://evil.example' } }),
  };
  for (const [which, answer] of Object.entries(broken)) {
    for (const at of ['/openid-configuration', '/token', '/jwks']) {
      test(`${which} at ${at}: a page of ours, no session, and the next try works`, async (t) => {
        const on = await begin(t);
        on.acme.instead = ({ url }) => (url.endsWith(at) ? answer() : undefined);
        const browser = on.browser();
        const left = await browser.submit(await browser.open('/login'), {}, 'acme');
        const page = left.refresh === undefined ? left : await browser.open(on.acme.agree(left.refresh));
        await refused(on, browser, page, /^(Acme does not answer|We could not check)/, page.status);
        assert.ok([400, 502].includes(page.status));
        assert.ok(!on.acme.asked.some(({ url }) => url.includes('evil')));

        on.acme.instead = undefined;
        await browser.open(on.acme.agree(await on.leave(browser, await browser.open('/login'))));
        assert.ok(browser.cookies.has(sessionCookie));
      });
    }
  }

  test('metadata of another issuer, or with an address that no browser should open, lead nowhere', async (t) => {
    for (const metadata of [
      { issuer: 'https://evil.example' },
      { issuer: undefined },
      { authorization_endpoint: 'javascript:alert(1)' },
      { authorization_endpoint: 'http://login.acme.example/authorize' },
      { authorization_endpoint: undefined },
    ]) {
      const on = await begin(t);
      Object.assign(on.acme.metadata, metadata);
      const browser = on.browser();
      const page = await browser.submit(await browser.open('/login'), {}, 'acme');
      assert.ok([400, 502].includes(page.status) && page.refresh === undefined, JSON.stringify(metadata));
      assert.doesNotMatch(page.html, /javascript:|http:\/\/login/);
    }
  });
});

describe('the way there', () => {
  test('[LOG-02] begins with a form of ours in this browser only', async (t) => {
    const on = await begin(t);
    const browser = on.browser();
    const page = await browser.open('/login');
    const post = (body: Record<string, string>, headers: Record<string, string>) =>
      on.request('/login/upstream', {
        method: 'POST',
        body: new URLSearchParams(body).toString(),
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
      });
    const csrf = page.forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? '';
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');

    assert.equal((await post({ upstream: 'acme', csrf }, { Cookie: cookie, 'Sec-Fetch-Site': 'cross-site' })).status, 403);
    assert.equal((await post({ upstream: 'acme', csrf }, { Cookie: cookie, Origin: 'https://evil.example' })).status, 403);
    assert.equal((await post({ upstream: 'acme', csrf }, {})).status, 403);
    assert.equal((await post({ upstream: 'acme', csrf: 'x' }, { Cookie: cookie })).status, 403);
    assert.equal((await post({ upstream: 'never', csrf }, { Cookie: cookie })).status, 404);
    assert.equal((await on.request('/login/upstream')).status, 405);
    assert.equal(on.acme.asked.length, 0);
  });

  test('[LOG-04] no parameter says where anybody goes', async (t) => {
    const on = await begin(t);
    const evil = 'https://evil.example/';
    const query = ['tx', 'to', 'return_to', 'redirect_uri', 'next', 'arrival', 'user_code', 'state']
      .map((name) => `${name}=${encodeURIComponent(evil)}`)
      .join('&');
    const browser = on.browser();
    const page = await browser.open(`/login?${query.replace('tx=', 'x=')}`);
    const there = await on.leave(browser, page);
    assert.equal(new URL(there).host, 'login.acme.example');
    const back = await browser.open(`${on.acme.agree(there)}&${query.replace(/&state=[^&]*/, '')}`);

    assert.deepEqual([back.left, new URL(back.url).origin], [false, issuer]);
    for (const path of ['/login/first-time', '/account/link']) {
      const opened = await browser.open(`${path}?${query}`);
      assert.deepEqual([opened.status, opened.left], [400, false]);
    }
  });

  test('is not walked more often than the limit says from one address', async (t) => {
    const on = await begin(t, { limits: ['upstream.address=20/15m'] });
    const browser = on.browser();
    const page = await browser.open('/login');
    for (let times = 0; times < 20; times++) await on.leave(browser, page);

    assert.equal((await browser.submit(page, {}, 'acme')).status, 429);
  });
});

describe('the question who somebody is here', () => {
  test('[LOG-03] is answered in its own browser, by the session that it was put to, once', async (t) => {
    const on = await begin(t, { signIn: { signUp: 'open' } });
    on.acme.claims = { sub: 'subject-2' };
    on.acme.userinfo = { sub: 'subject-2', preferred_username: 'grace' };
    const browser = on.browser();
    const first = await on.through(browser);
    const arrival = new URL(first.url).searchParams.get('arrival') ?? '';
    const stranger = await on.signedIn();
    for (const path of [`/login/first-time?arrival=${arrival}`, `/account/link?arrival=${arrival}`]) assert.equal((await stranger.open(path)).status, 400);
    assert.equal((await stranger.submit(first)).status, 403);
    assert.equal((await on.store.listUsers()).length, 1);

    await browser.submit(first);
    browser.cookies.delete(sessionCookie);
    assert.equal((await browser.submit(first)).status, 400);
    assert.equal((await on.store.listUsers()).length, 2);
  });

  test('[LOG-02] a form for one person links nothing to another who signs in meanwhile', async (t) => {
    const on = await begin(t);
    await on.addUser({ username: 'mallory', password: 'correct horse battery staple' });
    on.acme.claims = { sub: 'subject-2' };
    on.acme.userinfo = { sub: 'subject-2' };
    const browser = on.browser();
    const first = await on.through(browser);
    const [, href = ''] = /href="(\/login\?arrival=[\w-]+)"/.exec(first.html) ?? [];
    const question = await signInOn(browser, await browser.open(href));
    await signInOn(browser, await browser.open('/login?switch=new'), 'mallory');

    assert.equal((await browser.submit(question, {}, 'link')).status, 403);
    assert.equal(await on.store.findUpstreamUser(on.acme.issuer, 'subject-2'), undefined);
  });

  test('names from there are text: markup and characters that turn text around never reach a page', async (t) => {
    const on = await begin(t, { signIn: { signUp: 'open' } });
    on.acme.claims = { sub: 'subject-2' };
    on.acme.userinfo = {
      sub: 'subject-2',
      name: '<img src=x>\u202eecarG\u0000\u200b',
      email: '"<b>"@x.example',
      email_verified: true,
      preferred_username: '<i>',
    };
    const browser = on.browser();
    const page = await on.through(browser);

    assert.doesNotMatch(page.html, /<img|<b>|<i>|\p{Cf}/u);
    await browser.submit(page);
    const user = await on.store.findUpstreamUser(on.acme.issuer, 'subject-2');
    assert.deepEqual([user?.email, user?.name], [undefined, '<img src=x>ecarG']);
  });
});
