/**
 * The management API over HTTP: what owners, operators and strangers get, and that the OpenAPI document says the same.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { operations } from '../../src/api/openapi.ts';
import { auditEvent } from '../../src/audit/event.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { parseKey } from '../../src/servers/key-value.ts';
import { newOwnerToken } from '../../src/servers/owner-token.ts';
import { issuer, type TestServer, testServer } from '../harness.ts';

let app: TestServer;
const tokens: Record<string, string> = {};
/** Every answer seen, for the comparison with the document at the end. */
const seen: { method: string; path: string; status: number; body: unknown }[] = [];

before(async () => {
  app = await testServer();
  for (const [username, role] of [
    ['ada', 'owner'],
    ['bob', 'owner'],
    ['op', 'operator'],
    ['eve', 'user'],
  ] as const) {
    const { id } = await app.addUser({ username, role });
    const { value, row } = newOwnerToken(id, 'test', app.clock.now());
    await app.store.addOwnerToken(row, auditEvent('owner_token.created', app.clock.now(), 'test'));
    tokens[username] = value;
  }
});
after(() => app.close());

type Call = { as?: string; body?: unknown; headers?: Record<string, string>; text?: string };

async function call(method: string, path: string, { as = 'ada', body, text, headers = {} }: Call = {}) {
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await app.request(path, {
    method,
    body: sent,
    headers: { ...(as && { Authorization: `Bearer ${tokens[as] ?? as}` }), ...(sent !== undefined && { 'Content-Type': 'application/json' }), ...headers },
  });
  const raw = await response.text();
  const answer = raw === '' ? undefined : JSON.parse(raw);
  seen.push({ method, path: path.split('?')[0] ?? '', status: response.status, body: answer });
  return { status: response.status, headers: response.headers, body: answer, raw };
}

const fileServer = {
  server_url: 'https://Files.example.com:443/',
  server_name: 'My File Server',
  scopes: ['files:read', { name: 'files:write', description: 'Change files', group: 'change', optional: true }],
};
let counter = 0;
async function registered(as = 'ada', more: Record<string, unknown> = {}): Promise<string> {
  const { body } = await call('POST', '/api/servers', { as, body: { ...fileServer, server_url: `https://s${counter++}.example.com/mcp`, ...more } });
  return body.server_id;
}

test('an owner registers a server and gets what the contract promises', async () => {
  const { status, body, headers } = await call('POST', '/api/servers', { body: fileServer });

  assert.equal(status, 201);
  assert.match(body.server_id, /^srv_[A-Za-z0-9]{16}$/);
  assert.equal(headers.get('location'), `${issuer}/api/servers/${body.server_id}`);
  assert.deepEqual(body, {
    ...body,
    server_url: 'https://Files.example.com:443/',
    resource: 'https://files.example.com',
    server_name: 'My File Server',
    scopes: fileServer.scopes,
    created_at: '2027-01-15T08:00:00Z',
    protected_resource_metadata_url: `${issuer}/.well-known/oauth-protected-resource/${body.server_id}`,
  });
  assert.equal((await app.store.findServerByResource('https://files.example.com'))?.id, body.server_id);
  const [event] = await app.store.listEvents({ type: 'server.added', limit: 1 });
  assert.deepEqual([event?.serverId, event?.address], [body.server_id, '203.0.113.7']);
});

test('the same address in another spelling is server_url_taken, also for another owner, and the issuer itself always is', async () => {
  for (const server_url of ['https://files.example.com', 'HTTPS://FILES.example.com/', 'https://files.example.com:443', issuer, `${issuer}/`]) {
    const { status, body } = await call('POST', '/api/servers', { as: 'bob', body: { ...fileServer, server_url } });

    assert.deepEqual([status, body.error], [409, 'server_url_taken'], server_url);
  }
});

test('without credentials the answer is 401 with the call that would have worked', async () => {
  const server = await call('POST', '/api/servers', { as: '', body: fileServer });
  const key = await call('POST', '/api/servers/srv_abc123/keys', { as: '', body: { name: 'Production Key' } });

  assert.deepEqual([server.status, server.body.error], [401, 'unauthorized']);
  assert.equal(server.headers.get('www-authenticate'), 'Bearer realm="auth-agent management API"');
  assert.match(
    server.body.example,
    /^curl -X POST https:\/\/auth\.example\.com\/api\/servers -H 'Authorization: Bearer aat_\.\.\.' -H 'Content-Type: application\/json' -d '\{.*\}'$/,
  );
  assert.match(key.body.example, /\/api\/servers\/\$SERVER_ID\/keys /);
  assert.equal(server.body.error_uri, `${issuer}/docs/errors/unauthorized`);
});

test('a credential that is wrong in any way is 401 invalid_token on every operation', async () => {
  const expired = newOwnerToken('usr_nobody', 'x', 1000, 60).value;
  const wrong = [expired, 'aat_', `${tokens.ada}x`, tokens.ada?.slice(0, -1) ?? '', 'sk_abcdefghijkl', 'eyJhbGciOiJFUzI1NiJ9.e30.x', "aat_' or 1=1 --", ' '];
  for (const { method, path } of operations)
    for (const token of wrong) {
      const { status, headers } = await call(method, path.replace(':id', 'srv_x').replace(':key_id', 'sk_x'), { as: token || ' ' });

      assert.equal(status, 401, `${method} ${path} ${token}`);
      assert.match(headers.get('www-authenticate') ?? '', /error="invalid_token"/);
    }
  const basic = await call('GET', '/api/servers', { as: '', headers: { Authorization: `Basic ${btoa(`x:${tokens.ada}`)}` } });
  assert.equal(basic.status, 401);
});

test('an owner token in the query or in a cookie is no credential', async () => {
  const query = await call('GET', `/api/servers?access_token=${tokens.ada}`, { as: '' });
  const cookie = await call('GET', '/api/servers', { as: '', headers: { Cookie: `token=${tokens.ada}` } });

  assert.deepEqual([query.status, cookie.status], [401, 401]);
});

test('a token ends with its lifetime, with its revocation and with its person', async () => {
  const now = app.clock.now();
  const person = await app.addUser({ username: 'leaver', role: 'owner' });
  const short = newOwnerToken(person.id, 'short', now - 100, 100);
  const revoked = newOwnerToken(person.id, 'revoked', now);
  const living = newOwnerToken(person.id, 'living', now);
  for (const { row } of [short, revoked, living]) await app.store.addOwnerToken(row, auditEvent('owner_token.created', now, 'test'));
  await app.store.revokeOwnerToken(revoked.row.id, auditEvent('owner_token.revoked', now, 'test'));

  const status = async (token: string) => (await call('GET', '/api/servers', { as: token })).status;

  assert.deepEqual([await status(short.value), await status(revoked.value), await status(living.value)], [401, 401, 200]);
  await app.store.setUserDisabled(person.id, true, auditEvent('user.disabled', now, 'test'));
  assert.equal(await status(living.value), 401);
});

test('a person who is neither owner nor operator is forbidden', async () => {
  const { status, body } = await call('GET', '/api/servers', { as: 'eve' });

  assert.deepEqual([status, body.error], [403, 'forbidden']);
});

test('user_id is the caller or the request is forbidden', async () => {
  const { body: mine } = await call('GET', `/api/servers/${await registered()}`);
  const own = await call('POST', '/api/servers', { body: { ...fileServer, server_url: 'https://own.example.com', user_id: mine.owner_id } });
  const other = await call('POST', '/api/servers', { body: { ...fileServer, server_url: 'https://other.example.com', user_id: 'your-user-uuid' } });
  const none = await call('POST', '/api/servers', { body: { ...fileServer, server_url: 'https://none.example.com', user_id: null } });

  assert.deepEqual([own.status, other.status, other.body.error, none.status], [201, 403, 'forbidden', 201]);
  assert.equal(await app.store.findServerByResource('https://other.example.com'), undefined);
});

test("another owner's server is 404 on every operation, like one that never was; an operator reaches it", async () => {
  const id = await registered();
  for (const { method, path } of operations.filter((one) => one.path.includes(':id'))) {
    const body = method === 'POST' || method === 'PATCH' ? { name: 'x' } : undefined;
    const others = await call(method, path.replace(':id', id).replace(':key_id', 'sk_x'), { as: 'bob', body });
    const nobodys = await call(method, path.replace(':id', 'srv_never').replace(':key_id', 'sk_x'), { as: 'bob', body });

    assert.deepEqual([others.status, others.body.error], [404, 'not_found'], `${method} ${path}`);
    assert.deepEqual(others.body, nobodys.body);
  }
  const operator = await call('GET', `/api/servers/${id}`, { as: 'op' });
  assert.deepEqual([operator.status, operator.body.server_id], [200, id]);
});

test('a hostile id is 404, never a failure of ours', async () => {
  for (const id of ['%00', 'srv_%00', '..%2f..', 'srv_a%27', '%F0%28%8C%28', 'srv_'.padEnd(4000, 'a')]) {
    const { status } = await call('GET', `/api/servers/${id}`);

    assert.equal(status, 404, id);
  }
  const id = await registered();
  assert.equal((await call('DELETE', `/api/servers/${id}/keys/sk_%00`)).status, 404);
});

test('what the body must be: JSON, an object, of known members, each once, of the right form', async () => {
  const bad: [string, Record<string, unknown> | string, string?][] = [
    ['no JSON', '{'],
    ['a list', '[]'],
    ['null', 'null'],
    ['empty', ''],
    ['repeated member', `{"server_name":"a","server_name":"b","server_url":"https://x.example.com","scopes":["a"]}`],
    ['unknown member', { ...fileServer, is_admin: true }],
    ['http off loopback', { ...fileServer, server_url: 'http://files.example.com' }, 'server_url'],
    ['fragment', { ...fileServer, server_url: 'https://files.example.com/#x' }, 'server_url'],
    ['userinfo', { ...fileServer, server_url: 'https://a:b@files.example.com' }, 'server_url'],
    ['javascript', { ...fileServer, server_url: 'javascript:alert(1)' }, 'server_url'],
    ['dot segments', { ...fileServer, server_url: 'https://files.example.com/a/../b' }, 'server_url'],
    ['missing name', { ...fileServer, server_name: undefined }, 'server_name'],
    ['control character', { ...fileServer, server_name: 'a\u0000b' }, 'server_name'],
    ['reordering mark', { ...fileServer, server_name: 'a\u202Eb' }, 'server_name'],
    ['long name', { ...fileServer, server_name: 'a'.repeat(101) }, 'server_name'],
    ['no scopes', { ...fileServer, scopes: [] }, 'scopes'],
    ['scope with a space', { ...fileServer, scopes: ['a b'] }, 'scopes[0]'],
    ['scope with an unknown member', { ...fileServer, scopes: ['a', { name: 'b', risk: 'low' }] }, 'scopes[1]'],
    ['text for no language', { ...fileServer, scopes: [{ name: 'a', descriptions: { deutsch1234: 'x' } }] }, 'scopes[0]'],
    ['text for a member of every object', { ...fileServer, scopes: [{ name: 'a', descriptions: { constructor: 'x' } }] }, 'scopes[0]'],
    ['text for a language twice', { ...fileServer, scopes: [{ name: 'a', descriptions: { 'pt-br': 'x', 'pt-BR': 'y' } }] }, 'scopes[0].descriptions'],
    ['empty text for a language', { ...fileServer, scopes: [{ name: 'a', descriptions: { de: ' ' } }] }, 'scopes[0].descriptions.de'],
    ['text that turns what follows', { ...fileServer, scopes: [{ name: 'a', descriptions: { de: 'x\u202Ey' } }] }, 'scopes[0].descriptions.de'],
    ['scope twice', { ...fileServer, scopes: ['a', { name: 'a' }] }],
    ['identity scope', { ...fileServer, scopes: ['files:read', 'offline_access'] }],
    ['foreign default scope', { ...fileServer, default_scopes: ['nope'] }],
    ['logo over http', { ...fileServer, logo_url: 'http://x.example.com/a.png' }, 'logo_url'],
  ];
  for (const [name, body, member] of bad) {
    const sent = typeof body === 'string' ? { text: body } : { body: { server_url: 'https://bad.example.com', ...body } };
    const { status, body: answer } = await call('POST', '/api/servers', sent);

    assert.deepEqual([status, answer.error, answer.member], [400, 'invalid_request', member], name);
    assert.match(answer.error_description, /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/, name);
  }
  assert.equal(await app.store.findServerByResource('https://bad.example.com'), undefined);
});

test('an owner gives the words of a scope by language, and gets them back under one spelling of the tag', async () => {
  const scopes = [{ name: 'files:write', description: 'Change files', descriptions: { de: 'Dateien ändern', 'PT-br': 'Alterar arquivos' } }];
  const id = await registered('ada', { scopes });
  const { status, body } = await call('GET', `/api/servers/${id}`);

  assert.equal(status, 200);
  assert.deepEqual(body.scopes, [{ ...scopes[0], descriptions: { de: 'Dateien ändern', 'pt-BR': 'Alterar arquivos' } }]);
});

test('another content type is 415 and a large body 413', async () => {
  for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/jsonp', ''])
    assert.equal((await call('POST', '/api/servers', { body: fileServer, headers: { 'Content-Type': type } })).status, 415, type);
  assert.equal((await call('POST', '/api/servers', { text: `{"a":"${'x'.repeat(70_000)}"}` })).status, 413);
  assert.equal((await call('POST', '/api/servers', { body: fileServer, headers: { 'Content-Type': 'Application/JSON; charset=utf-8' } })).status, 409);
});

test('a change keeps what is absent, removes what is null and never moves onto a taken address', async () => {
  const id = await registered('ada', { description: 'before', default_scopes: ['files:read'] });
  const other = await call('GET', `/api/servers/${await registered()}`);
  app.clock.advance(60);

  const changed = await call('PATCH', `/api/servers/${id}`, { body: { server_name: 'After', description: null } });
  const moved = await call('PATCH', `/api/servers/${id}`, { body: { server_url: other.body.server_url } });
  const orphaned = await call('PATCH', `/api/servers/${id}`, { body: { scopes: ['other:read'] } });
  const owned = await call('PATCH', `/api/servers/${id}`, { body: { owner_id: 'usr_x' } });
  const now = await call('GET', `/api/servers/${id}`);

  assert.deepEqual(
    [changed.status, changed.body.server_name, changed.body.description, changed.body.default_scopes],
    [200, 'After', undefined, ['files:read']],
  );
  assert.notEqual(changed.body.updated_at, changed.body.created_at);
  assert.deepEqual([moved.status, moved.body.error], [409, 'server_url_taken']);
  assert.deepEqual([orphaned.status, orphaned.body.error], [400, 'invalid_request']);
  assert.equal(owned.status, 400);
  assert.deepEqual(now.body, changed.body);
});

test('changes that arrive together are all kept: the description of an owner does not undo the restriction of an operator', async () => {
  const id = await registered('ada', { description: 'before' });
  const bodies = [{ people: 'listed' }, { description: 'after' }, { server_name: 'Renamed' }, { max_duration: 'once' }];

  const statuses = await Promise.all(bodies.map(async (body) => (await call('PATCH', `/api/servers/${id}`, { body })).status));

  assert.deepEqual(statuses, [200, 200, 200, 200]);
  const { body } = await call('GET', `/api/servers/${id}`);
  assert.deepEqual([body.people, body.description, body.server_name, body.max_duration], ['listed', 'after', 'Renamed', 'once']);
});

test('a page goes on where the one before ended, also when the server that stood there is removed in between', async () => {
  const person = await app.addUser({ username: 'remover', role: 'owner' });
  const { value, row } = newOwnerToken(person.id, 'test', app.clock.now());
  await app.store.addOwnerToken(row, auditEvent('owner_token.created', app.clock.now(), 'test'));
  for (let made = 0; made < 3; made++) await registered(value);
  const first = await call('GET', '/api/servers?limit=1', { as: value });

  assert.equal((await call('DELETE', `/api/servers/${first.body.servers[0].server_id}`, { as: value })).status, 204);

  const next = await call('GET', `/api/servers?limit=1&after=${first.body.next_cursor}`, { as: value });
  assert.equal(next.body.servers.length, 1);
  assert.equal(typeof next.body.next_cursor, 'string');
});

test('a list is the own servers in pages, and all servers for an operator', async () => {
  const person = await app.addUser({ username: 'pager', role: 'owner' });
  const { value, row } = newOwnerToken(person.id, 'test', app.clock.now());
  await app.store.addOwnerToken(row, auditEvent('owner_token.created', app.clock.now(), 'test'));
  const made = [];
  for (let one = 0; one < 5; one++) {
    made.push(await registered(value));
    app.clock.advance(1);
  }

  const listed: string[] = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const { body } = await call('GET', `/api/servers?limit=2${cursor ? `&after=${cursor}` : ''}`, { as: value });
    listed.push(...body.servers.map((server: { server_id: string }) => server.server_id));
    cursor = body.next_cursor;
    pages++;
  } while (cursor);
  const all = await call('GET', '/api/servers?limit=200', { as: 'op' });

  assert.deepEqual(listed, made);
  assert.equal(pages, 3);
  assert.ok(all.body.servers.length > 5);
  for (const query of ['limit=0', 'limit=201', 'limit=-1', 'limit=x', 'limit=1e2', 'after=%00', "after='", 'after=usr_1'])
    assert.equal((await call('GET', `/api/servers?${query}`)).status, 400, query);
});

test('a removed server is gone with its keys', async () => {
  const id = await registered();
  const { body: key } = await call('POST', `/api/servers/${id}/keys`, { body: { name: 'k' } });

  const removed = await call('DELETE', `/api/servers/${id}`);
  const again = await call('DELETE', `/api/servers/${id}`);

  assert.deepEqual([removed.status, removed.raw, again.status], [204, '', 404]);
  assert.equal(await app.store.findKey(sha256(key.key_secret)), undefined);
  assert.equal((await app.store.listEvents({ type: 'server.removed', limit: 9 })).filter((event) => event.serverId === id).length, 1);
});

test('a key is made with its secret shown once, lives a year or as long as asked, and only its hash is kept', async () => {
  const id = await registered();

  const made = await call('POST', `/api/servers/${id}/keys`, { body: { name: 'Production Key' } });
  const short = await call('POST', `/api/servers/${id}/keys`, { body: { name: 'Short', expires_in: 3600 } });
  const list = await call('GET', `/api/servers/${id}/keys`);

  assert.equal(made.status, 201);
  assert.deepEqual(Object.keys(made.body), ['key_id', 'key_secret', 'name', 'created_at', 'expires_at']);
  assert.equal(Date.parse(made.body.expires_at) - Date.parse(made.body.created_at), 365 * 86400_000);
  assert.equal(Date.parse(short.body.expires_at) - Date.parse(short.body.created_at), 3600_000);
  const parsed = parseKey(made.body.key_secret);
  assert.ok(typeof parsed === 'object' && parsed.id === made.body.key_id);
  assert.equal((await app.store.findKey(parsed.hash))?.serverId, id);
  assert.deepEqual(list.body.keys.map((key: { name: string; status: string }) => [key.name, key.status]).sort(), [
    ['Production Key', 'active'],
    ['Short', 'active'],
  ]);
  assert.ok(!list.raw.includes(made.body.key_secret) && !list.raw.includes(parsed.hash) && !('key_secret' in list.body.keys[0]));
  for (const body of [
    {},
    { name: '' },
    { name: 'k', expires_in: 59 },
    { name: 'k', expires_in: 1.5 },
    { name: 'k', expires_in: '3600' },
    { name: 'k', expires_in: 1e12 },
    { name: 'k', scopes: [] },
  ])
    assert.equal((await call('POST', `/api/servers/${id}/keys`, { body })).status, 400, JSON.stringify(body));
});

test('deleting a key is idempotent, writes one event, and never reaches a key of another server', async () => {
  const id = await registered();
  const other = await registered('bob');
  const { body: key } = await call('POST', `/api/servers/${id}/keys`, { body: { name: 'k' } });

  const foreign = await call('DELETE', `/api/servers/${other}/keys/${key.key_id}`, { as: 'bob' });
  assert.equal((await app.store.findKey(sha256(key.key_secret)))?.revokedAt, undefined);
  const first = await call('DELETE', `/api/servers/${id}/keys/${key.key_id}`);
  const second = await call('DELETE', `/api/servers/${id}/keys/${key.key_id}`);
  const never = await call('DELETE', `/api/servers/${id}/keys/sk_neverwas`);

  assert.deepEqual([foreign.status, first.status, second.status, never.status], [204, 204, 204, 204]);
  const list = await call('GET', `/api/servers/${id}/keys`);
  assert.equal(list.body.keys[0].status, 'revoked');
  assert.notEqual((await app.store.findKey(sha256(key.key_secret)))?.revokedAt, undefined);
  assert.equal((await app.store.listEvents({ type: 'key.revoked', limit: 99 })).filter((event) => event.serverId === id).length, 1);
});

test('[CORS-10] the management API speaks to no other origin, sets no cookie and is never cached', async () => {
  for (const [method, path] of [
    ['OPTIONS', '/api/servers'],
    ['GET', '/api/servers'],
    ['GET', '/api/servers/srv_x'],
    ['PUT', '/api/servers'],
    ['GET', '/api/openapi.json'],
  ] as const) {
    const { status, headers } = await call(method, path, { headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' } });

    assert.ok(![...headers.keys()].some((name) => name.startsWith('access-control-')), `${method} ${path}`);
    assert.equal(headers.get('set-cookie'), null);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    if (path !== '/api/openapi.json') assert.equal(headers.get('cache-control'), 'no-store');
    if (method === 'OPTIONS' || method === 'PUT') assert.deepEqual([status, headers.get('allow')], [405, 'POST, GET, HEAD']);
  }
});

test('[TOK-10] neither tokens nor key secrets reach the log or the record of events', async () => {
  const { body: key } = await call('POST', `/api/servers/${await registered()}/keys`, { body: { name: 'k' } });
  await call('GET', '/api/servers', { as: 'aat_canaryCanaryCanaryCanaryCanaryCanary' });

  const written = app.logged.join('\n') + JSON.stringify(await app.store.listEvents({ limit: 1000 }));

  for (const canary of [key.key_secret, sha256(key.key_secret), tokens.ada ?? '-', sha256(tokens.ada ?? '-'), 'canaryCanary'])
    assert.ok(!written.includes(canary));
});

test('no body whatsoever makes the API fail or repeat it', async () => {
  const id = await registered();
  const value = fc.jsonValue({ maxDepth: 3 });
  const body = fc.oneof(
    value,
    fc.record(
      {
        server_url: fc.oneof(fc.webUrl(), value),
        server_name: value,
        scopes: value,
        description: value,
        logo_url: value,
        default_scopes: value,
        user_id: value,
        name: value,
        expires_in: value,
      },
      { requiredKeys: [] },
    ),
  );
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom('POST /api/servers', `PATCH /api/servers/${id}`, `POST /api/servers/${id}/keys`), async (sent, target) => {
      const [method = '', path = ''] = target.split(' ');
      const { status, raw } = await call(method, path, { body: sent });

      assert.ok([200, 201, 400, 403, 409].includes(status), raw);
      assert.ok(!/\n\s+at /.test(raw));
    }),
    { numRuns: 150 },
  );
});

test('the OpenAPI document is served to anybody and names every operation, and every answer seen here is as it says', async () => {
  const { status, body: document } = await call('GET', '/api/openapi.json', { as: '' });
  seen.pop();
  assert.equal(status, 200);
  assert.equal(document.openapi, '3.1.0');
  assert.deepEqual(document.servers, [{ url: issuer }]);
  const exercised = new Set<string>();
  const schemas = new Map<unknown, z.ZodType>();

  for (const { method, path, status, body } of seen) {
    const template = path.replace(/^\/api\/servers\/[^/]+/, '/api/servers/{id}').replace(/\/keys\/[^/]+$/, '/keys/{key_id}');
    if (method === 'OPTIONS' || method === 'PUT' || path === '/api/openapi.json') continue;
    const answer = document.paths[template]?.[method.toLowerCase()]?.responses[status];
    assert.ok(answer, `${method} ${template} ${status} is documented`);
    const schema = answer.content?.['application/json'].schema;
    if (!schema) assert.equal(body, undefined);
    else {
      const resolved = schema.$ref ? document.components.schemas.Error : schema;
      if (!schemas.has(resolved)) schemas.set(resolved, z.fromJSONSchema(resolved));
      const checked = schemas.get(resolved)?.safeParse(body);
      assert.ok(checked?.success, `${method} ${template} ${status}: ${checked?.error} in ${JSON.stringify(body)}`);
    }
    if (status < 300) exercised.add(`${method} ${template}`);
  }
  assert.deepEqual([...exercised].sort(), operations.map((one) => `${one.method} ${one.path.replace(/:(\w+)/g, '{$1}')}`).sort());
});
