import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { queueMail } from '../../test/queue-mail.ts';
import { auditEvent } from '../audit/event.ts';
import type { Context } from '../context.ts';
import { openNodeSqlite } from '../storage/drivers/node-sqlite.ts';
import { openStorage } from '../storage/open.ts';
import { ROOT_TENANT } from '../storage/store.ts';
import { createDevelopment, type Development, NotADemoDatabase } from './demo.ts';

const issuer = 'http://localhost:9000';
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const silent = { info() {}, warn() {}, error() {} };
const notFetched = () => Promise.reject(new Error('no network in this test'));
type Init = RequestInit & { address?: string };

async function development(): Promise<Development & { call(path: string, init?: Init): Promise<Response>; fetched: string[] }> {
  const fetched: string[] = [];
  const fetchedAs = (how: string) => (url: string) => {
    fetched.push(`${how} ${url}`);
    return notFetched();
  };
  const made = await createDevelopment({
    issuer,
    driver: openNodeSqlite(':memory:'),
    secret: 'made for this machine, this time only',
    seed: 'demo',
    log: silent,
    now: () => 1_800_000_000,
    fetchDocument: fetchedAs('public'),
    fetchLoopbackDocument: fetchedAs('loopback'),
  });
  const call = (path: string, { address = '127.0.0.1', ...init }: Init = {}) =>
    made.fetch(new Request(path.startsWith('http') ? path : issuer + path, { redirect: 'manual', ...init }), { address });
  return { ...made, call, fetched };
}

const json = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'Content-Type': 'application/json', ...headers },
});
const form = (body: Record<string, string>, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body: new URLSearchParams(body).toString(),
  headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
});
const machineToken = async (call: (path: string, init?: Init) => Promise<Response>) => {
  const answer = await call(
    '/oauth/token',
    json({ grant_type: 'client_credentials', client_id: 'mcp-task-manager', client_secret: 'mcp-secret-12345', scope: 'tasks:read tasks:write' }),
  );
  return (await answer.json()) as { access_token: string; scope: string };
};

/** A browser on this computer: keeps cookies and sends what a browser sends with its own forms. */
function browser(call: (path: string, init?: Init) => Promise<Response>) {
  const cookies = new Map<string, string>();
  const go = async (path: string, init: Init = {}): Promise<{ response: Response; html: string }> => {
    const headers = {
      ...(init.headers as Record<string, string>),
      cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      'sec-fetch-site': init.method ? 'same-origin' : 'none',
    };
    const response = await call(path, { ...init, headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    return location?.startsWith('/') || location?.startsWith(issuer) ? go(location.replace(issuer, '')) : { response, html: await response.text() };
  };
  const fields = (html: string) => Object.fromEntries([...html.matchAll(/name="(tx|csrf)" value="([^"]+)"/g)].map(([, name, value]) => [name, value]));
  return {
    go,
    signIn: (html: string) => go('/login', form({ ...fields(html), username: 'testuser', password: 'testpass' })),
    decide: (html: string, decision: string) => go('/consent', form({ ...fields(html), decision })),
  };
}

const authorizeUrl = (given: Record<string, string> = {}) =>
  `/authorize?${new URLSearchParams({ client_id: 'mcp-test-client', redirect_uri: 'http://localhost:3000/callback', response_type: 'code', code_challenge: challenge, code_challenge_method: 'S256', state: 's', ...given })}`;

describe('the documented calls run as printed', () => {
  test('a server is registered and a key made without credentials, the placeholder user_id is ignored, and the answer warns', async () => {
    const { call } = await development();

    const server = await call(
      '/api/servers',
      json({ server_url: 'http://localhost:8000', server_name: 'My File Server', scopes: ['files:read', 'files:write'], user_id: 'your-user-uuid' }),
    );
    const registered = (await server.json()) as { server_id: string; warning: string };
    const key = await call(`/api/servers/${registered.server_id}/keys`, json({ name: 'Production Key' }));
    const made = (await key.json()) as { key_secret: string; warning: string };

    assert.equal(server.status, 201);
    assert.match(registered.warning, /Development mode/);
    assert.equal(key.status, 201);
    assert.match(made.key_secret, /^sk_/);
    assert.equal((await call(`/api/servers/${registered.server_id}`)).status, 200);
  });

  test('a machine client of document 004 gets a token and introspects it at the alias without credentials', async () => {
    const { call } = await development();
    const token = await machineToken(call);

    const answer = await call('/oauth/introspect', form({ token: token.access_token }));

    assert.deepEqual(token.scope.split(' ').sort(), ['tasks:read', 'tasks:write']);
    const body = (await answer.json()) as Record<string, unknown>;
    assert.equal(body['active'], true);
    assert.equal(body['client_id'], 'mcp-task-manager');
    assert.equal('username' in body, false);
    assert.deepEqual(await (await call('/oauth/introspect', json({ token: token.access_token }))).json(), body);
  });

  test('without credentials /introspect stays closed, and so does the alias for what is no demo token', async () => {
    const { call } = await development();
    const { access_token } = await machineToken(call);

    assert.equal((await call('/introspect', form({ token: access_token }))).status, 401);
    assert.equal((await call('/oauth/introspect', form({ token: 'your-access-token' }))).status, 401);
    assert.equal((await call('/oauth/introspect', form({ token: access_token }, { Authorization: 'Bearer sk_wrong0' }))).status, 401);
  });

  test('the bare id sk_xyz789 works as the key of srv_abc123', async () => {
    const { call } = await development();

    const answer = await call('/introspect', form({ token: 'nothing' }, { Authorization: 'Bearer sk_xyz789' }));

    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), { active: false });
  });

  test('GET /debug/clients lists the demo clients with masked secrets', async () => {
    const { call } = await development();

    const answer = await call('/debug/clients');

    const text = await answer.text();
    assert.equal(answer.status, 200);
    for (const id of ['client_claude_code', 'mcp-test-client', 'mcp-task-manager', 'ai-agent-assistant']) assert.ok(text.includes(id));
    for (const secret of ['mcp-test-secret', 'mcp-secret-12345', 'agent-secret-67890']) assert.ok(!text.includes(secret));
    assert.ok(text.includes('urn:ietf:wg:oauth:2.0:oob'));
  });

  test('mail is not sent but shown, newest first, with links of this server only', async () => {
    const { call, server } = await development();
    const context = (await server.context()) as Context;
    const read = async () => (await call('/dev/mail')).text();
    assert.match(await read(), /No mail yet/);

    await queueMail(context, { to: 'ada@example.com', kind: 'test', values: {} });
    await queueMail(context, { to: 'bob@example.com', kind: 'passkey-added', values: { at: server.options.now(), userAgent: 'https://evil.example/' } });
    await context.mail.idle();

    const html = await read();
    assert.ok(html.indexOf('bob@example.com') < html.indexOf('ada@example.com'));
    assert.deepEqual(
      [...html.matchAll(/<a href="(http[^"]*)"/g)].map(([, href]) => href),
      [`${server.options.issuer}/account/security`],
    );
  });

  test('the whole flow with the RFC 7636 vector ends in tokens', async () => {
    const { call } = await development();
    const person = browser(call);
    const signIn = await person.go(authorizeUrl({ client_id: 'client_claude_code', resource: 'https://your-mcp-server.com', scope: 'files:read' }));
    assert.match(signIn.html, /testuser/);

    const consent = await person.signIn(signIn.html);
    const returned = await person.decide(consent.html, 'allow');
    const callback = new URL((/url=([^"]+)"/.exec(returned.html)?.[1] ?? '').replaceAll('&amp;', '&'));
    const answer = await call(
      '/token',
      json({
        grant_type: 'authorization_code',
        code: callback.searchParams.get('code'),
        code_verifier: verifier,
        client_id: 'client_claude_code',
        redirect_uri: 'http://localhost:3000/callback',
        resource: 'https://your-mcp-server.com',
      }),
    );

    assert.equal(callback.searchParams.get('state'), 's');
    assert.equal(callback.searchParams.get('iss'), issuer);
    assert.equal(answer.status, 200);
    const token = ((await answer.json()) as { access_token: string }).access_token;
    const seen = (await (await call('/introspect', form({ token }, { Authorization: 'Bearer sk_xyz789' }))).json()) as Record<string, unknown>;
    assert.equal(seen['username'], 'testuser');
    assert.equal(seen['email'], 'testuser@example.com');
    assert.equal(seen['aud'], 'https://your-mcp-server.com');
  });

  test('urn:ietf:wg:oauth:2.0:oob shows the code on a page, and the code redeems with that redirect_uri', async () => {
    const { call } = await development();
    const person = browser(call);
    const consent = await person.signIn((await person.go(authorizeUrl({ redirect_uri: 'urn:ietf:wg:oauth:2.0:oob', scope: 'mcp:read mcp:write' }))).html);

    const returned = await person.decide(consent.html, 'allow');
    const shown = await person.go((/url=([^"]+)"/.exec(returned.html)?.[1] ?? '').replaceAll('&amp;', '&').replace(issuer, ''));
    const code = /ac_[A-Za-z0-9_-]+/.exec(shown.html)?.[0] ?? '';
    const answer = await call(
      '/oauth/token',
      form({
        grant_type: 'authorization_code',
        code,
        code_verifier: verifier,
        redirect_uri: 'urn:ietf:wg:oauth:2.0:oob',
        client_id: 'mcp-test-client',
        client_secret: 'mcp-test-secret',
      }),
    );

    assert.equal(answer.status, 200);
    assert.equal(((await answer.json()) as { scope: string }).scope, 'mcp:read mcp:write');
  });

  test('code_challenge=test shows the sign-in form with a notice, and after it an explanation instead of a code', async () => {
    const { call, server } = await development();
    const person = browser(call);

    const signIn = await person.go(authorizeUrl({ code_challenge: 'test', scope: 'mcp:read' }).replace('/authorize', '/oauth/authorize'));
    const after = await person.signIn(signIn.html);
    const forced = await person.decide(signIn.html, 'allow');

    assert.equal(signIn.response.status, 200);
    assert.match(signIn.html, /could never be redeemed/);
    assert.match(signIn.html, /name="password"/);
    assert.match(after.html, /no code was made/);
    assert.match(forced.html, /no code was made/);
    const context = (await server.context()) as Context;
    assert.deepEqual(await context.store.listGrants({ userId: 'usr_demo_testuser' }, 1_800_000_000), []);
  });

  test('a metadata document is read from a loopback host only for a local request', async () => {
    const { call, fetched } = await development();
    const url = authorizeUrl({ client_id: 'https://localhost:8443/client.json' });

    await call(url);
    await call(url, { headers: { 'X-Forwarded-For': '203.0.113.9' } });

    assert.deepEqual(fetched.map((line) => line.split(' ')[0]).slice(0, 2), ['loopback', 'public']);
  });
});

describe('the fortress', () => {
  let one: Awaited<ReturnType<typeof development>>;
  before(async () => {
    one = await development();
  });
  const strangers: [string, Init][] = [
    ['a socket from another computer', { address: '192.168.1.20' }],
    ['another Host (DNS rebinding)', { headers: { Host: 'evil.example' } }],
    ['X-Forwarded-For', { headers: { 'X-Forwarded-For': '203.0.113.9' } }],
    ['X-Forwarded-Host', { headers: { 'X-Forwarded-Host': 'dev.example' } }],
    ['Forwarded', { headers: { Forwarded: 'for=203.0.113.9' } }],
    ['Via', { headers: { Via: '1.1 proxy' } }],
    ['a tunnel', { headers: { 'Cf-Connecting-Ip': '203.0.113.9' } }],
    ['another tunnel', { headers: { 'Ngrok-Agent': '1' } }],
    ['a page of another site', { headers: { 'Sec-Fetch-Site': 'cross-site' } }],
    ['a page of a sibling site', { headers: { 'Sec-Fetch-Site': 'same-site' } }],
    ['another Origin', { headers: { Origin: 'https://evil.example' } }],
    ['an opaque Origin', { headers: { Origin: 'null' } }],
  ];

  for (const [name, init] of strangers) {
    test(`no convenience for a request with ${name}`, async () => {
      const { call } = one;
      const { access_token } = await machineToken(call);
      const headers = init.headers as Record<string, string> | undefined;
      const strange = (path: string, one: RequestInit = {}) =>
        call(path, { ...one, ...init, headers: { ...(one.headers as Record<string, string>), ...headers } });

      assert.equal((await strange('/api/servers', json({ server_url: 'http://localhost:8000', server_name: 'x', scopes: ['a'] }))).status, 401);
      assert.equal((await strange('/api/servers')).status, 401);
      assert.equal((await strange('/oauth/introspect', form({ token: access_token }))).status, 401);
      assert.equal((await strange('/introspect', form({ token: access_token }, { Authorization: 'Bearer sk_xyz789' }))).status, 401);
      assert.equal((await strange('/debug/clients')).status, 404);
      assert.equal((await strange('/dev/mail')).status, 404);
      assert.equal((await strange('/dev/code?code=ac_x')).status, 404);
      assert.equal((await strange(authorizeUrl({ redirect_uri: 'urn:ietf:wg:oauth:2.0:oob' }))).status, 400);
      const challenged = await strange(authorizeUrl({ code_challenge: 'test' }));
      assert.match(challenged.headers.get('location') ?? '', /error=invalid_request/);
    });
  }

  for (const [name, init] of strangers.slice(0, 8)) {
    test(`the test password does not work for a request with ${name}`, async () => {
      const { call } = one;
      const person = browser(call);
      const signIn = await person.go(authorizeUrl());

      const tried = await call('/login', {
        ...form({ username: 'testuser', password: 'testpass' }, init.headers as Record<string, string>),
        address: init.address,
      });

      assert.equal(signIn.response.status, 200);
      assert.equal(tried.status, 403);
      assert.equal(tried.headers.getSetCookie().length, 0);
    });
  }

  test('a wrong credential is 401 and never falls back to the demo owner', async () => {
    const { call } = one;

    assert.equal(
      (await call('/api/servers', json({ server_url: 'http://localhost:8000', server_name: 'x', scopes: ['a'] }, { Authorization: 'Bearer aat_wrong' })))
        .status,
      401,
    );
  });

  test('every page says that this is development mode', async () => {
    const { call } = one;

    for (const path of ['/', '/login', authorizeUrl(), '/docs/errors/invalid_grant', '/authorize?client_id=unknown'])
      assert.match(await (await call(path)).text(), /Development mode/, path);
  });

  test('127.0.0.1 answers too, and the issuer stays what it is', async () => {
    const { call } = one;

    const metadata = (await (await call('http://127.0.0.1:9000/.well-known/oauth-authorization-server')).json()) as { issuer: string };

    assert.equal(metadata.issuer, issuer);
    assert.equal((await call('http://127.0.0.1:9000/api/servers')).status, 200);
  });

  test('the database is marked as demo, and one with real people is refused', async () => {
    const driver = openNodeSqlite(':memory:');
    const storage = openStorage(driver);
    await storage.migrate(1);
    const event = auditEvent('user.added', 1, 'test');
    await storage.forTenant(ROOT_TENANT).addUser({ id: 'usr_1', username: 'real', role: 'user', createdAt: 1 }, event);

    const { server } = one;
    assert.equal(await server.storage.fact('demo'), 'yes');
    const onReal = createDevelopment({
      issuer,
      driver,
      secret: 'made for this machine, this time only',
      seed: 'demo',
      log: silent,
      fetchDocument: notFetched,
      fetchLoopbackDocument: notFetched,
    });
    await assert.rejects(onReal, NotADemoDatabase);
    assert.equal((await storage.forTenant(ROOT_TENANT).listUsers()).length, 1);
  });

  test('starting twice keeps one set of demo data', async () => {
    const driver = openNodeSqlite(':memory:');
    const options = {
      issuer,
      driver,
      secret: 'made for this machine, this time only',
      seed: 'demo' as const,
      log: silent,
      fetchDocument: notFetched,
      fetchLoopbackDocument: notFetched,
    };

    await createDevelopment(options);
    const { server } = await createDevelopment(options);

    const { store } = (await server.context()) as Context;
    assert.equal((await store.listClients()).length, 4);
    assert.equal((await store.listServers({ limit: 100 })).length, 3);
  });
});
