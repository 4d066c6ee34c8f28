/**
 * What /authorize accepts and refuses, and where each refusal goes: the request's side of the story, before any person is asked.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sha256 } from '../../src/crypto/hash.ts';
import { form, issuer } from '../harness.ts';
import { answerOf, loopback, type Stage, stage, webRedirect } from './authorize-stage.ts';

/** A page with a status, which leads nowhere. */
async function assertPage(response: Response, status: number, code: string): Promise<string> {
  const html = await response.text();
  assert.equal(response.status, status);
  assert.equal(response.headers.get('location'), null);
  assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
  assert.match(html, new RegExp(`<code>${code}</code>`));
  return html;
}

/** An error in the query of the client's redirect URI, with nothing of the request in its text. */
function assertSentBack(response: Response, code: string, to = loopback): Record<string, string> {
  assert.equal(response.status, 303, `${response.status} instead of a redirect`);
  const location = response.headers.get('location') ?? '';
  assert.ok(location.startsWith(`${to}?`), location);
  const answer = answerOf(location);
  assert.equal(answer['error'], code);
  assert.match(answer['error_description'] ?? '', /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  assert.equal(answer['iss'], issuer);
  assert.ok(!location.includes('#'));
  return answer;
}

describe('a request to /authorize', () => {
  let on: Stage;
  before(async () => {
    on = await stage({ fetchDocument: () => Promise.reject(new Error('nobody is there')) });
  });
  after(() => on.close());
  const get = (url: string, init?: Parameters<Stage['request']>[1]) => on.request(url, init);
  const formOf = (url: string) => Object.fromEntries(new URL(url).searchParams);

  test('[AZ-01] GET answers a stranger with the sign-in form itself', async () => {
    const response = await get(on.url());

    assert.equal(response.status, 200);
    assert.match(await response.text(), /<input[^>]+name="password"/);
  });

  test('[AZ-01] a form POST is the same request', async () => {
    const browser = on.browser();
    await browser.open('/login');
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');

    const own = await get('/authorize', form(formOf(on.url()), { Cookie: cookie }));
    const foreign = await get('/authorize', form(formOf(on.url())));

    assert.match(await own.text(), /name="password"/);
    // Without our Lax cookies, as from another site: once more as a GET, which brings them.
    assert.equal(foreign.status, 303);
    assert.equal(foreign.headers.get('location'), `/authorize?${new URL(on.url()).searchParams}`);
    assert.equal(foreign.headers.getSetCookie().length, 0);
  });

  test('[AZ-01] a POST that is no form is refused, and so is a broken line smuggled into its redirect', async () => {
    await assertPage(await get('/authorize', { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } }), 400, 'invalid_request');
    const smuggled = await get('/authorize', { method: 'POST', body: 'client_id=a\r\nX: y', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
    assert.doesNotMatch(smuggled.headers.get('location') ?? '', /[\r\n]/);
  });

  test('[AZ-01] other methods are 405 with Allow', async () => {
    const response = await get(on.url(), { method: 'PUT' });

    assert.equal(response.status, 405);
    assert.match(response.headers.get('allow') ?? '', /GET.*POST/);
  });

  test('[AZ-01] unknown parameters are ignored and empty ones are absent', async () => {
    assert.equal((await get(on.url({ audience: 'x', response_mode: '', prompt: '' }))).status, 200);
    assertSentBack(await get(on.url({ response_type: '' })), 'invalid_request');
  });

  test('[AZ-02] [CORS-07] no page of the flow has CORS headers, and a preflight gets none', async () => {
    for (const path of [on.url(), '/login', '/logout', '/consent', '/authorize/consent', '/authorize/return', '/account/agents', '/setup', '/']) {
      for (const method of ['GET', 'OPTIONS']) {
        const response = await get(path, { method, headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' } });
        assert.equal(response.headers.get('access-control-allow-origin'), null, `${method} ${path}`);
        if (method === 'OPTIONS') assert.ok(response.status >= 400);
      }
    }
  });

  test('[AZ-03] a client id that is missing, repeated, unknown or malformed ends on a page', async () => {
    await assertPage(await get(on.url({ client_id: undefined })), 400, 'invalid_request');
    await assertPage(await get(`${on.url()}&client_id=client_known`), 400, 'invalid_request');
    await assertPage(await get(on.url({ client_id: 'client_nobody' })), 400, 'invalid_client');
    await assertPage(await get(on.url({ client_id: 'https://evil.example/../x' })), 400, 'client_metadata_unavailable');
    await assertPage(await get(on.url({ client_id: 'https://evil.example/client.json' })), 400, 'client_metadata_unavailable');
  });

  test('[AZ-03] a disabled client ends on a page, even with its own redirect URI', async () => {
    await on.addClient({ id: 'client_off', disabledAt: on.clock.now() });

    await assertPage(await get(on.url({ client_id: 'client_off' })), 400, 'invalid_client');
  });

  test('[AZ-03] the page for an unknown client says how to make that program register again', async () => {
    const unknown = (redirect_uri: string, agent = '') => get(on.url({ client_id: 'client_gone', redirect_uri }), { headers: { 'User-Agent': agent } });

    assert.match(await (await unknown('http://localhost:50321/callback')).text(), /Claude Code/);
    assert.match(await (await unknown('cursor://anysphere.cursor-mcp/oauth/callback')).text(), /Cursor/);
    assert.match(await (await unknown('http://127.0.0.1:33418/')).text(), /VS Code/);
    assert.match(await (await unknown('http://localhost:3334/oauth/callback')).text(), /mcp-auth/);
    assert.match(await (await unknown('https://app.example.org/x')).text(), /Any other agent/);
  });

  test('[AZ-04] a redirect URI that is repeated or not registered ends on a page that shows both, escaped', async () => {
    await assertPage(await get(`${on.url()}&redirect_uri=http://localhost:4711/callback`), 400, 'invalid_request');
    const html = await assertPage(await get(on.url({ redirect_uri: 'http://localhost:4711/call"><script>alert(1)</script>' })), 400, 'invalid_redirect_uri');

    assert.doesNotMatch(html, /<script>alert/);
    assert.match(html, /http:\/\/localhost\/callback/);
  });

  test('[AZ-04] a redirect URI that fits only in part, or runs code, is not accepted', async () => {
    for (const uri of [
      'http://localhost:4711/callback/../evil',
      'http://localhost:4711/callback?x=1',
      'javascript:alert(1)//http://localhost/callback',
      'http://localhost:4711/callback#a',
      '//localhost/callback',
    ])
      await assertPage(await get(on.url({ redirect_uri: uri })), 400, 'invalid_redirect_uri');
  });

  test('[AZ-05] redirect_uri may be left out only when one concrete URI is registered', async () => {
    await on.addClient({ id: 'client_one', metadata: { redirectUris: ['https://one.example/cb'] } });
    await on.addClient({ id: 'client_two', metadata: { redirectUris: ['https://one.example/cb', 'https://two.example/cb'] } });

    assert.equal((await get(on.url({ client_id: 'client_one', redirect_uri: undefined }))).status, 200);
    await assertPage(await get(on.url({ client_id: 'client_two', redirect_uri: undefined })), 400, 'invalid_request');
    await assertPage(await get(on.url({ redirect_uri: undefined })), 400, 'invalid_request');
  });

  test('[AZ-06] nothing is normalised: case, escapes, default ports and slashes make another address', async () => {
    await on.addClient({ id: 'client_exact', metadata: { redirectUris: ['https://one.example/cb'] } });
    for (const uri of [
      'https://ONE.example/cb',
      'https://one.example:443/cb',
      'https://one.example/cb/',
      'https://one.example/%63b',
      'https://one.example/cb?',
      'HTTPS://one.example/cb',
    ])
      await assertPage(await get(on.url({ client_id: 'client_exact', redirect_uri: uri })), 400, 'invalid_redirect_uri');
  });

  test('[AZ-07] [D1] on loopback http any port will do, and nothing else may differ', async () => {
    for (const uri of ['http://localhost/callback', 'http://localhost:1/callback', 'http://localhost:65535/callback'])
      assert.equal((await get(on.url({ redirect_uri: uri }))).status, 200, uri);
    for (const uri of [
      'http://127.0.0.1:4711/callback',
      'http://[::1]:4711/callback',
      'https://localhost:4711/callback',
      'http://LOCALHOST:4711/callback',
      'http://localhost.:4711/callback',
      'http://localhost.evil.com:4711/callback',
      'http://127.0.0.2/callback',
      'http://0.0.0.0/callback',
      'http://localhost:0/callback',
      'http://localhost:65536/callback',
      'http://localhost:+80/callback',
      'http://localhost:4711/callback/',
      'http://user@localhost:4711/callback',
      'http://2130706433/callback',
      'http://[::ffff:127.0.0.1]/callback',
    ])
      await assertPage(await get(on.url({ redirect_uri: uri })), 400, 'invalid_redirect_uri');
  });

  test('[AZ-07] the page explains localhost and 127.0.0.1', async () => {
    assert.match(await (await get(on.url({ redirect_uri: 'http://127.0.0.1:4711/callback' }))).text(), /three different hosts/);
  });

  test('[AZ-09] any other repeated parameter is invalid_request; a repeated state is not sent back', async () => {
    assert.equal(assertSentBack(await get(`${on.url()}&scope=files:write`), 'invalid_request')['state'], 'xyz');
    assert.equal(assertSentBack(await get(`${on.url()}&state=two`), 'invalid_request')['state'], undefined);
    assertSentBack(await get(`${on.url()}&unknown=1&unknown=2`), 'invalid_request');
    assert.equal((await get(`${on.url()}&resource=${encodeURIComponent('https://mcp.example.com/mcp')}`)).status, 200);
  });

  test('[AZ-10] response_type is code, said once; every other is refused in the query', async () => {
    assertSentBack(await get(on.url({ response_type: undefined })), 'invalid_request');
    for (const type of ['token', 'id_token', 'code token', 'code id_token', 'none', 'CODE', 'code code'])
      assertSentBack(await get(on.url({ response_type: type })), 'unsupported_response_type');
  });

  test('[AZ-11] a client without a code challenge is refused, confidential or not', async () => {
    await on.addClient({ id: 'client_secret', secret: 'a secret of the client' });

    assertSentBack(await get(on.url({ code_challenge: undefined })), 'invalid_request');
    assertSentBack(await get(on.url({ client_id: 'client_secret', code_challenge: undefined, code_challenge_method: undefined })), 'invalid_request');
  });

  test('[AZ-12] the method is S256, said explicitly and in these letters', async () => {
    for (const method of [undefined, 'plain', 's256', 'S512']) assertSentBack(await get(on.url({ code_challenge_method: method })), 'invalid_request');
  });

  test('[AZ-13] a challenge is 43 characters of base64url', async () => {
    const good = sha256('anything');
    for (const challenge of [good.slice(1), `${good}A`, `${good.slice(1)}=`, `${good.slice(1)}+`, 'test'])
      assertSentBack(await get(on.url({ code_challenge: challenge })), 'invalid_request');
  });

  test('[AZ-14] a state that is not printable or far too long is refused and not sent back', async () => {
    for (const state of ['snow ☃', 'tab\there', 'x'.repeat(4097)])
      assert.equal(assertSentBack(await get(on.url({ state })), 'invalid_request')['state'], undefined);
    assert.equal((await get(on.url({ state: 'x'.repeat(2048) }))).status, 200);
    assert.equal((await get(on.url({ state: undefined }))).status, 200);
  });

  test('[AZ-16] a resource that is no absolute URI, has a fragment, or is unknown is invalid_target, also as one of several', async () => {
    for (const resource of [
      '/mcp',
      'mcp.example.com',
      'https://mcp.example.com/mcp#a',
      'https://other.example/mcp',
      'https://mcp.example.com/mcp/../admin',
      'https://mcp.example.com/%6dcp',
    ])
      assertSentBack(await get(on.url({ resource })), 'invalid_target');
    assertSentBack(await get(`${on.url()}&resource=${encodeURIComponent('https://other.example/mcp')}`), 'invalid_target');
  });

  test('[AZ-17] spellings of scheme, host and port are one resource; the path is exact', async () => {
    for (const resource of ['HTTPS://MCP.example.com/mcp', 'https://mcp.example.com:443/mcp'])
      assert.equal((await get(on.url({ resource }))).status, 200, resource);
    for (const resource of ['https://mcp.example.com/MCP', 'https://mcp.example.com/mcp/', 'https://mcp.example.com:8443/mcp'])
      assertSentBack(await get(on.url({ resource })), 'invalid_target');
  });

  test('[AZ-19] a scope with a forbidden character, or none that is offered, is invalid_scope', async () => {
    for (const scope of ['files:read\\', '"files:read"', 'files:rëad', 'unknown:scope']) assertSentBack(await get(on.url({ scope })), 'invalid_scope');
    assert.equal((await get(on.url({ scope: 'files:read unknown:scope' }))).status, 200);
  });

  test('[AZ-19] a scope longer than any token is invalid_scope', async () => {
    const long = (length: number) => 'files:read'.padEnd(length);
    assert.equal((await get(on.url({ scope: long(4096) }))).status, 200);
    assertSentBack(await get(on.url({ scope: long(4097) })), 'invalid_scope');
  });

  test('[AZ-19] a scope of another resource is invalid_scope, whatever else is asked', async () => {
    await on.addServer({ id: 'srv_other', resource: 'https://other.example.com', scopes: [{ name: 'other:100%_sure' }] });

    assertSentBack(await get(on.url({ scope: 'files:read other:100%_sure' })), 'invalid_scope');
    assert.equal((await get(on.url({ scope: 'files:read other:100xysure' }))).status, 200);
  });

  test('[AZ-21] prompt takes the known words; none stands alone', async () => {
    for (const prompt of ['none login', 'create', 'LOGIN', 'consent nonsense']) assertSentBack(await get(on.url({ prompt })), 'invalid_request');
    for (const prompt of ['login', 'consent', 'select_account', 'login consent']) assert.equal((await get(on.url({ prompt }))).status, 200, prompt);
  });

  test('[AZ-23] max_age is a number of seconds; acr_values name a level that is offered, or are said to be unmet', async () => {
    for (const age of ['-1', '1.5', 'soon', '0x10', '99999999999']) assertSentBack(await get(on.url({ max_age: age })), 'invalid_request');
    for (const acr_values of ['urn:mace:incommon:iap:silver', 'aal3 aal4', 'AAL1'])
      assertSentBack(await get(on.url({ acr_values })), 'unmet_authentication_requirements');
    for (const acr_values of ['aal1', 'aal3 aal1', ' ']) assert.equal((await get(on.url({ acr_values }))).status, 200);
  });

  test('[AZ-23] [LOG-10] login_hint, ui_locales and display never come back raw', async () => {
    const evil = '"><script>alert(1)</script>';
    const html = await (await get(on.url({ login_hint: evil, ui_locales: evil, display: evil }))).text();
    assert.doesNotMatch(html, /alert\(1\)/);

    const hinted = await (await get(on.url({ login_hint: 'ada@example.com' }))).text();
    assert.match(hinted, /value="ada@example.com"/);
  });

  test('[AZ-24] request objects and references are refused by their own codes and never fetched', async () => {
    assertSentBack(await get(on.url({ request: 'eyJhbGciOiJub25lIn0.e30.' })), 'request_not_supported');
    assertSentBack(await get(on.url({ request_uri: 'https://evil.example/r' })), 'request_uri_not_supported');
    await assertPage(await get(on.url({ request_uri: 'urn:ietf:params:oauth:request_uri:abc' })), 400, 'invalid_request_uri');
    assertSentBack(await get(on.url({ request: 'x', request_uri: 'https://evil.example/r' })), 'invalid_request');
  });

  test('[AZ-26] response_mode is query or form_post; others are refused in the query', async () => {
    for (const mode of ['query', 'form_post']) assert.equal((await get(on.url({ response_mode: mode }))).status, 200);
    for (const mode of ['fragment', 'query.jwt', 'form_post.jwt', 'QUERY']) assertSentBack(await get(on.url({ response_mode: mode })), 'invalid_request');
  });

  test('[AZ-29] no error text repeats the request', async () => {
    const mark = 'zzMARKzz';
    for (const changed of [
      { scope: mark },
      { resource: `https://${mark}.example` },
      { response_type: mark },
      { prompt: mark },
      { max_age: mark },
      { code_challenge_method: mark },
    ]) {
      const response = await get(on.url(changed));
      assert.equal(response.status, 303);
      assert.doesNotMatch(response.headers.get('location') ?? '', /zzMARKzz/i);
    }
  });

  test('[AZ-34] authorization_details are refused with their own code', async () => {
    assertSentBack(await get(on.url({ authorization_details: '[{"type":"x"}]' })), 'invalid_authorization_details');
  });

  test('[AZ-35] too long an address, too many parameters and control characters end on a page', async () => {
    await assertPage(await get(on.url({ x: 'y'.repeat(9000) })), 414, 'uri_too_long');
    await assertPage(await get(`${on.url()}${'&a=1'.repeat(101)}`), 400, 'invalid_request');
    for (const character of ['%00', '%0d', '%0a']) await assertPage(await get(`${on.url({ state: undefined })}&state=a${character}b`), 400, 'invalid_request');
  });

  test('[AZ-36] a nonce has at most 512 characters', async () => {
    assertSentBack(await get(on.url({ nonce: 'n'.repeat(513) })), 'invalid_request');
    assert.equal((await get(on.url({ nonce: 'n'.repeat(512) }))).status, 200);
  });

  test('a client that may not use the code flow is told so', async () => {
    await on.addClient({ id: 'client_machine', metadata: { grantTypes: ['client_credentials'] } });

    assertSentBack(await get(on.url({ client_id: 'client_machine' })), 'unauthorized_client');
  });

  test('the first problem in the order of the specification wins', async () => {
    const everythingWrong = {
      request: 'x',
      response_type: 'token',
      response_mode: 'fragment',
      code_challenge: undefined,
      resource: 'nowhere',
      scope: 'none',
      prompt: 'x',
    };
    const order: [string, Record<string, string | undefined>, string][] = [
      ['request objects', {}, 'request_not_supported'],
      ['response type', { request: undefined }, 'unsupported_response_type'],
      ['response mode', { response_type: 'code' }, 'invalid_request'],
      ['PKCE', { response_mode: undefined }, 'invalid_request'],
      ['resource', { code_challenge: sha256('x') }, 'invalid_target'],
      ['scope', { resource: 'https://mcp.example.com/mcp' }, 'invalid_scope'],
      ['prompt', { scope: 'files:read' }, 'invalid_request'],
    ];
    let given: Record<string, string | undefined> = everythingWrong;
    for (const [name, mended, code] of order) {
      given = { ...given, ...mended };
      assert.equal(assertSentBack(await get(on.url(given)), code)['error'], code, name);
    }
    await assertPage(await get(on.url({ ...everythingWrong, redirect_uri: 'http://nowhere.example' })), 400, 'invalid_redirect_uri');
    await assertPage(await get(on.url({ ...everythingWrong, redirect_uri: 'http://nowhere.example', client_id: 'client_nobody' })), 400, 'invalid_client');
  });

  test('[AZ-28] [HDR-01] [HDR-02] [LOG-09] pages and redirects send no referrer, are not stored, cannot be framed and load nothing from elsewhere', async () => {
    const browser = await on.signedIn();
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const consentAt = (await browser.open(on.url())).url;
    const places: [string, RequestInit?][] = [
      [on.url()],
      ['/login'],
      ['/logout', { headers: { Cookie: cookie } }],
      [consentAt, { headers: { Cookie: cookie } }],
      ['/account/agents', { headers: { Cookie: cookie } }],
      ['/'],
      [on.url({ client_id: 'x' })],
      [on.url({ scope: 'x' })],
      ['/nowhere', { headers: { Accept: 'text/html' } }],
    ];
    for (const [path, init] of places) {
      const response = await get(path, init);
      const html = await response.text();
      assert.equal(response.headers.get('referrer-policy'), 'no-referrer', path);
      assert.equal(response.headers.get('cache-control'), 'no-store', path);
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff', path);
      assert.match(response.headers.get('strict-transport-security') ?? '', /max-age=\d{8}/, path);
      assert.equal(response.headers.get('server'), null, path);
      assert.equal(response.headers.get('x-frame-options'), 'DENY', path);
      const policy = response.headers.get('content-security-policy') ?? '';
      for (const part of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "script-src 'self'", "object-src 'none'", "form-action 'self'"])
        assert.ok(policy.includes(part), `${path} ${part}`);
      assert.doesNotMatch(html, /<(script|img|link|iframe|form|source)[^>]+(src|href|action)="(https?:)?\/\//, path);
    }
  });

  test('pages that people open themselves are cut off from whoever opened them; the window of a client keeps its opener, in redirects and errors too', async () => {
    const openers = async (path: string, init?: RequestInit) => (await get(path, init)).headers.get('cross-origin-opener-policy');
    const cookie = [...(await on.signedIn()).cookies].map(([name, value]) => `${name}=${value}`).join('; ');

    for (const path of ['/', '/account', '/account/agents', '/account/security', '/setup', '/device', '/docs/errors', '/nowhere'])
      assert.equal(await openers(path, { headers: { Cookie: cookie, Accept: 'text/html' } }), 'same-origin', path);
    const onTheWay = [
      '/authorize',
      '/authorize/consent?tx=x',
      '/authorize/return?tx=x',
      '/login',
      '/login/second',
      '/login/accounts',
      '/code',
      '/signup',
      '/reset',
    ];
    for (const path of [...onTheWay, on.url(), on.url({ client_id: 'x' }), '/login/upstream/x/callback', '/account/link', '/logout']) {
      assert.equal(await openers(path), null, path);
      assert.equal(await openers(path, { headers: { Cookie: cookie } }), null, path);
    }
    assert.equal(await openers('/consent', { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }), null);
  });

  test('the answer to an untrusted client names no page of ours as JSON when JSON was asked for', async () => {
    const response = await get(on.url({ client_id: 'client_nobody' }), { headers: { Accept: 'application/json' } });

    assert.equal(response.status, 400);
    assert.equal(((await response.json()) as { error: string }).error, 'invalid_client');
  });

  test('strangers at one address are slowed down before they fill the store, people who are signed in are not', async () => {
    const browser = await on.signedIn();
    const address = '198.51.100.9';
    let last = 200;
    for (let round = 0; round < 602 && last === 200; round++) last = (await get(on.url({ scope: 'x' }), { address })).status === 429 ? 429 : 200;

    const refused = await get(on.url(), { address });
    assert.equal(last, 429);
    assert.equal(refused.status, 429);
    assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
    assert.match((await browser.open(on.url())).url, /\/authorize\/consent/);
  });

  test('[AZ-31] [D12] a pre-registered client is redirected at once, a stranger client never without a person or a click', async () => {
    assertSentBack(await get(on.url({ scope: 'x' })), 'invalid_scope');

    const page = await get(on.dynamicUrl({ scope: 'x' }));
    const html = await assertPage(page, 400, 'invalid_scope');
    const href = /<a class="[^"]*" href="(https:\/\/app\.example\.org[^"]*)"/.exec(html)?.[1]?.replaceAll('&amp;', '&');
    assert.ok(href?.startsWith(`${webRedirect}?`));
    assert.deepEqual([answerOf(href)['error'], answerOf(href)['state'], answerOf(href)['iss']], ['invalid_scope', 'xyz', issuer]);
    assert.match(html, /app\.example\.org/);
    assert.doesNotMatch(html, /http-equiv="refresh"/);

    const browser = await on.signedIn();
    const sent = await browser.open(on.dynamicUrl({ scope: 'x' }));
    assert.equal(sent.left, true);
    assert.equal(answerOf(sent.url)['error'], 'invalid_scope');
  });

  test('[AZ-31] prompt=none by a stranger client without a session is a page, too', async () => {
    await assertPage(await get(on.dynamicUrl({ prompt: 'none' })), 400, 'login_required');
  });

  test('[AZ-31] a forgotten client is told unauthorized_client at the redirect URI its tombstone knows, and nowhere else', async () => {
    await on.addClient({ id: 'client_old', registration: 'dynamic', metadata: { redirectUris: [webRedirect] }, removedAt: on.clock.now() });

    const html = await assertPage(await get(on.dynamicUrl({ client_id: 'client_old' })), 400, 'unauthorized_client');
    assert.match(html, /error=unauthorized_client/);
    const signedIn = await on.signedIn();
    assert.equal(answerOf((await signedIn.open(on.dynamicUrl({ client_id: 'client_old' }))).url)['error'], 'unauthorized_client');
    await on.addClient({ id: 'client_retired', metadata: { redirectUris: [webRedirect] }, removedAt: on.clock.now() });
    await assertPage(await get(on.dynamicUrl({ client_id: 'client_retired' })), 400, 'unauthorized_client');
    const elsewhere = await assertPage(await get(on.dynamicUrl({ client_id: 'client_old', redirect_uri: 'https://evil.example/cb' })), 400, 'invalid_client');
    assert.doesNotMatch(elsewhere, /href="https:\/\/evil/);
  });
});
