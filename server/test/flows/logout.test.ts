/**
 * Sign-out that a client asks for (OIDC RP-Initiated Logout): when a question stands before it, and where the browser may go afterwards.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeJwt } from 'jose';
import type { Browser } from '../browser.ts';
import { form, issuer, pkce } from '../harness.ts';
import { answerOf, password, type Stage, stage, webRedirect } from './authorize-stage.ts';

const goodbye = 'https://app.example.org/goodbye?from=us';

describe('sign-out asked for by a client', () => {
  let on: Stage;
  before(async () => {
    on = await stage();
    const metadata = { redirectUris: [webRedirect], postLogoutRedirectUris: [goodbye] };
    await on.addClient({ id: 'client_web', metadata });
    await on.addClient({ id: 'client_other', metadata });
    await on.addClient({ id: 'client_stranger', registration: 'dynamic', metadata: { ...metadata, clientName: 'Stranger' } });
  });
  after(() => on.close());

  async function idToken(browser: Browser, client_id = 'client_web'): Promise<{ id_token: string; access_token: string }> {
    const consent = await browser.open(on.url({ client_id, redirect_uri: webRedirect, scope: 'openid files:read' }));
    const { code = '' } = answerOf((await browser.submit(consent, {}, 'allow')).refresh);
    const redemption = { grant_type: 'authorization_code', client_id, code, code_verifier: pkce.verifier, redirect_uri: webRedirect };
    return (await (await on.request('/token', form(redemption))).json()) as { id_token: string; access_token: string };
  }
  const logout = (values: Record<string, string>) => `/logout?${new URLSearchParams(values)}`;
  const isSignedIn = async (browser: Browser) => (await browser.open('/account/agents')).url.endsWith('/account/agents');

  test('[LO-01] [LO-02] the ID token of this session signs out at once and leads back with the state, for GET and POST', async () => {
    for (const method of ['GET', 'POST']) {
      const browser = await on.signedIn();
      const { id_token } = await idToken(browser);
      const values = { id_token_hint: id_token, post_logout_redirect_uri: goodbye, state: 'a b' };
      const session = browser.cookies.get('__Host-aa_session') ?? '';
      const init = method === 'GET' ? {} : form(values);
      const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await on.request(method === 'GET' ? logout(values) : '/logout', { ...init, headers: { ...init.headers, Cookie: cookie } });

      assert.equal(response.status, 303);
      assert.equal(response.headers.get('location'), `${goodbye}&state=a+b`);
      assert.match(response.headers.getSetCookie().join(), /__Host-aa_session=;.*Max-Age=0/);
      // LO-04: the cookie is worth nothing even to whoever kept it.
      const replayed = await on.request('/account/agents', { headers: { Cookie: `__Host-aa_session=${session}` } });
      assert.equal(replayed.headers.get('location'), '/login');
    }
  });

  test('[LO-04] the session is gone on the server, and agents keep their access', async () => {
    const browser = await on.signedIn();
    const { id_token, access_token } = await idToken(browser);
    await browser.open(logout({ id_token_hint: id_token }));

    assert.equal(await isSignedIn(browser), false);
    assert.equal((await on.request('/userinfo', { headers: { Authorization: `Bearer ${access_token}` } })).status, 200);
  });

  test('[LO-01] of several accounts in one browser the ID token signs out its own, whoever acts, and also while nobody does', async () => {
    await on.addUser({ username: 'grace', password });
    const browser = await on.signedIn();
    const ada = await idToken(browser);
    await browser.submit(await browser.open('/login?switch=new'), { username: 'grace', password });
    const grace = await idToken(browser);
    const held = async () => [...(await browser.open('/login/accounts')).html.matchAll(/name="use" value="([^"]*)"/g)].length;
    assert.equal(await held(), 2);

    const page = await browser.open(logout({ id_token_hint: ada.id_token, post_logout_redirect_uri: goodbye }));
    assert.deepEqual([page.left, page.url], [true, goodbye]);
    assert.equal(await isSignedIn(browser), true);
    assert.equal(await held(), 1);

    await browser.submit(await browser.open('/login?switch=new'), { username: 'ada', password });
    const accounts = browser.cookies;
    accounts.delete('__Host-aa_session');
    await browser.open(logout({ id_token_hint: grace.id_token }));
    assert.equal(await held(), 0);
  });

  test('[LO-03] an expired ID token still names its session', async () => {
    const browser = await on.signedIn();
    const { id_token } = await idToken(browser);
    on.clock.advance(2 * 3600);

    const page = await browser.open(logout({ id_token_hint: id_token, post_logout_redirect_uri: goodbye }));
    assert.deepEqual([page.left, page.url], [true, goodbye]);
    assert.equal(await isSignedIn(browser), false);
  });

  test('[LO-01] without an ID token of this session the person is asked, and nothing happens before they say so', async () => {
    const elsewhere = await on.signedIn();
    const other = await idToken(elsewhere);
    const cases: Record<string, string>[] = [
      {},
      { client_id: 'client_web', post_logout_redirect_uri: goodbye },
      { id_token_hint: other.id_token },
      { id_token_hint: 'nonsense' },
      { id_token_hint: other.access_token },
    ];
    for (const values of cases) {
      const browser = await on.signedIn();
      const page = await browser.open(logout(values));
      assert.match(page.title, /^Sign out\?/, JSON.stringify(values));
      assert.equal(await isSignedIn(browser), true);
      const posted = await on.request(
        '/logout',
        form(values, { Cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; '), 'Sec-Fetch-Site': 'cross-site' }),
      );
      assert.doesNotMatch(posted.headers.getSetCookie().join(), /aa_session=;/);
      assert.equal(await isSignedIn(browser), true);
    }
  });

  test('[LO-01] [LO-02] [CON-08] after the question the page leads on to the registered address, by a link of its own', async () => {
    const browser = await on.signedIn();
    const question = await browser.open(logout({ client_id: 'client_web', post_logout_redirect_uri: goodbye, state: 'xyz' }));
    assert.match(question.html, /Claude Code.*asks to sign you out/);
    const page = await browser.submit(question);

    assert.match(page.title, /^You are signed out/);
    assert.equal(page.refresh, `${goodbye}&state=xyz`);
    assert.equal(await isSignedIn(browser), false);
  });

  test('[LO-02] only an address registered for that client is followed, compared as a string', async () => {
    const browser = await on.signedIn();
    const { id_token } = await idToken(browser);
    for (const uri of [
      'https://evil.example/',
      `${goodbye}&x=1`,
      goodbye.replace('?from=us', ''),
      'https://APP.example.org/goodbye?from=us',
      'javascript:alert(1)',
      webRedirect,
    ]) {
      const page = await browser.open(logout({ id_token_hint: id_token, post_logout_redirect_uri: uri }));
      assert.equal(page.left, false, uri);
      assert.doesNotMatch(page.html, /evil\.example|javascript:/);
      assert.equal(page.refresh, undefined);
    }
  });

  test('[LO-02] without a client, or with one that has no such address, the browser stays', async () => {
    assert.equal((await on.browser().open(logout({ post_logout_redirect_uri: goodbye }))).left, false);
    assert.equal((await on.browser().open(logout({ client_id: 'client_known', post_logout_redirect_uri: goodbye }))).left, false);
    assert.equal((await on.browser().open(logout({ client_id: 'client_web', post_logout_redirect_uri: goodbye }))).url, goodbye);
  });

  test('[LO-02] an ID token and a client_id that disagree are refused on a page', async () => {
    const browser = await on.signedIn();
    const { id_token } = await idToken(browser);
    const page = await browser.open(logout({ id_token_hint: id_token, client_id: 'client_other', post_logout_redirect_uri: goodbye }));

    assert.equal(page.status, 400);
    assert.match(page.html, /<code>invalid_request<\/code>/);
    assert.equal(await isSignedIn(browser), true);
  });

  test('[LO-02] [AZ-31] a stranger client gets a link that names its host, and a redirect only with an ID token of a session that is here', async () => {
    const browser = await on.signedIn();
    const { id_token } = await idToken(browser, 'client_stranger');
    const withToken = logout({ id_token_hint: id_token, post_logout_redirect_uri: goodbye });

    // Anybody can get an ID token of their own, and send it to whom they like.
    for (const address of [logout({ client_id: 'client_stranger', post_logout_redirect_uri: goodbye }), withToken]) {
      const page = await on.browser().open(address);
      assert.deepEqual([page.left, page.refresh], [false, undefined]);
      assert.match(page.html, /href="https:\/\/app\.example\.org\/goodbye\?from=us"/);
    }
    assert.equal((await browser.open(withToken)).url, goodbye);
  });

  test('a form of another site comes back as a GET with the cookies it lacked', async () => {
    const browser = await on.signedIn();
    const { id_token } = await idToken(browser);
    const response = await on.request('/logout', form({ id_token_hint: id_token, state: 'x', csrf: '', other: 'y' }, { 'Sec-Fetch-Site': 'cross-site' }));

    assert.equal(response.status, 303);
    assert.equal(response.headers.get('location'), `/logout?${new URLSearchParams({ id_token_hint: id_token, state: 'x' })}`);
  });

  test('[LO-06] [AZ-28] no page of it has CORS, can be framed or is stored', async () => {
    const browser = await on.signedIn();
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    for (const headers of [{}, { Cookie: cookie }] as Record<string, string>[]) {
      const response = await on.request(logout({ client_id: 'client_web' }), { headers: { ...headers, Origin: 'https://evil.example' } });
      assert.equal(response.headers.get('access-control-allow-origin'), null);
      assert.equal(response.headers.get('x-frame-options'), 'DENY');
      assert.match(response.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
      assert.equal(response.headers.get('cache-control'), 'no-store');
    }
    assert.ok((await on.request('/logout', { method: 'OPTIONS' })).status >= 400);
  });

  test('[LO-02] [LOG-10] random requests never break it, and never lead to an address that is not registered', async () => {
    const browser = await on.signedIn();
    const { id_token } = await idToken(browser);
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const [header = '', payload = '', signature = ''] = id_token.split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
    const changed = Buffer.from(JSON.stringify({ ...decodeJwt(id_token), aud: 'client_stranger' })).toString('base64url');
    const value = fc.oneof(
      fc.constantFrom(
        'client_web',
        'client_stranger',
        goodbye,
        'https://evil.example/',
        `${none}.${payload}.`,
        `${header}.${changed}.${signature}`,
        '',
        '\u0000',
        '"><script>',
      ),
      fc.string({ maxLength: 30 }),
    );
    const names = fc.constantFrom('id_token_hint', 'client_id', 'post_logout_redirect_uri', 'state', 'csrf', 'logout_hint', 'ui_locales');
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, value, { maxKeys: 5 }), fc.boolean(), fc.boolean(), async (values, signedIn, posted) => {
        const headers: Record<string, string> = signedIn ? { Cookie: cookie } : {};
        const response = await on.request(posted ? '/logout' : logout(values), posted ? form(values, headers) : { headers });
        assert.ok(response.status < 500, on.logged.at(-1));
        const location = response.headers.get('location') ?? '/';
        assert.ok(location.startsWith('/logout?') || location === '/' || location.startsWith(goodbye), location);
        const html = await response.text();
        assert.doesNotMatch(html, /<script>|url=https:\/\/evil|href="https:\/\/evil/);
        assert.doesNotMatch(response.headers.getSetCookie().join(), /aa_session=;/);
      }),
      { numRuns: 200 },
    );
    assert.equal(await isSignedIn(browser), true);
  });
});

test('the endpoint is advertised', async () => {
  const on = await stage();
  const metadata = (await (await on.request('/.well-known/openid-configuration')).json()) as Record<string, unknown>;
  assert.equal(metadata.end_session_endpoint, `${issuer}/logout`);
  await on.close();
});
