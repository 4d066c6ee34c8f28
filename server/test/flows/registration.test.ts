/** POST /register over HTTP: what clients send, what they get, what strangers cannot do (RFC 7591). */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { expireClients } from '../../src/clients/expire.ts';
import { clientSecretHash } from '../../src/clients/secret.ts';
import type { ServerOptions } from '../../src/options.ts';
import { issuer, type TestServer, testServer } from '../harness.ts';

const start = (clients: ServerOptions['clients'] = {}) => testServer({ clients });
const body = { client_name: 'An app', redirect_uris: ['http://localhost/callback'], token_endpoint_auth_method: 'none' };
type Registered = Record<string, unknown> & { client_id: string };

function post(server: TestServer, json: unknown, { type = 'application/json', address }: { type?: string; address?: string } = {}): Promise<Response> {
  const headers: Record<string, string> = type === '' ? {} : { 'Content-Type': type };
  return server.request('/register', {
    method: 'POST',
    headers,
    body: typeof json === 'string' ? json : JSON.stringify(json),
    ...(address === undefined ? {} : { address }),
  });
}
async function registered(server: TestServer, json: unknown, address?: string): Promise<Registered> {
  const response = await post(server, json, address === undefined ? {} : { address });
  const text = await response.text();
  assert.equal(response.status, 201, text);
  return JSON.parse(text) as Registered;
}
async function refusal(response: Response): Promise<[number, unknown]> {
  const text = await response.text();
  assert.equal(response.headers.get('content-type'), 'application/json', text);
  return [response.status, (JSON.parse(text) as Record<string, unknown>)['error']];
}

test('[DCR-02] [DCR-04] success is 201, no-store, with everything that was registered and no null', async () => {
  const server = await start();
  const everything = {
    ...body,
    scope: 'files:read',
    application_type: 'native',
    client_uri: 'https://app.example',
    logo_uri: 'https://app.example/logo',
    tos_uri: 'https://app.example/tos',
    policy_uri: 'https://app.example/policy',
    contacts: ['a@app.example'],
    software_id: 'id',
    software_version: '1',
    jwks_uri: 'https://app.example/jwks',
  };

  const response = await post(server, { ...everything, unknown_member: 1, client_uri: 'https://app.example' });
  const answer = (await response.json()) as Registered;

  assert.equal(response.status, 201);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  const { client_id, client_id_issued_at, registration_client_uri, registration_access_token, ...metadata } = answer;
  assert.match(client_id, /^client_[A-Za-z0-9_-]{22}$/);
  assert.equal(client_id_issued_at, server.clock.now());
  assert.equal(registration_client_uri, `${issuer}/register/${client_id}`);
  assert.match(String(registration_access_token), /^rat_[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(metadata, { ...everything, grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] });
});

test('[DCR-02] [DCR-18] [D15] absent, empty and null members do not come back', async () => {
  const server = await start();

  const response = await post(server, { ...body, scope: '', client_uri: null, contacts: [], client_name: '', software_id: null });
  const text = await response.text();

  assert.deepEqual(Object.keys(JSON.parse(text) as object).sort(), [
    'client_id',
    'client_id_issued_at',
    'grant_types',
    'redirect_uris',
    'registration_access_token',
    'registration_client_uri',
    'response_types',
    'token_endpoint_auth_method',
  ]);
  assert.doesNotMatch(text, /null|""|\[\]/);
});

test('[DCR-03] a secret and its expiry come with secret methods only', async () => {
  const server = await start();
  for (const method of [undefined, 'client_secret_basic', 'client_secret_post']) {
    const answer = await registered(server, { ...body, token_endpoint_auth_method: method });
    assert.match(String(answer['client_secret']), /^cs_[A-Za-z0-9_-]{43}$/);
    assert.equal(answer['client_secret_expires_at'], 0);
    assert.equal(answer['token_endpoint_auth_method'], method ?? 'client_secret_basic');
  }
  const open = await registered(server, body);
  assert.ok(!('client_secret' in open) && !('client_secret_expires_at' in open));
});

test('[DCR-19] secrets expire when the operator says so', async () => {
  const server = await start({ secretSeconds: 86400 });

  const answer = await registered(server, { ...body, token_endpoint_auth_method: 'client_secret_post' });

  assert.equal(answer['client_secret_expires_at'], server.clock.now() + 86400);
  assert.equal((await server.store.findClient(answer.client_id))?.secretExpiresAt, server.clock.now() + 86400);
});

test('[DCR-20] a secret is stored as a keyed hash only, and is in no log and no event', async () => {
  const server = await start();

  const { client_id, client_secret } = await registered(server, { ...body, token_endpoint_auth_method: 'client_secret_basic' });

  const client = await server.store.findClient(client_id);
  assert.equal(client?.secretHash, clientSecretHash(server.context, client_id, String(client_secret)));
  assert.notEqual(client?.secretHash, clientSecretHash(server.context, 'client_other', String(client_secret)));
  const kept = JSON.stringify([client, server.logged, await server.store.listEvents({ limit: 100 })]);
  assert.ok(!kept.includes(String(client_secret)) && !kept.includes(String(client_secret).slice(3)));
});

test('[DCR-01] only a JSON object is taken', async () => {
  const server = await start();
  const text = JSON.stringify(body);
  for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x', '', 'application/jsonp']) {
    assert.deepEqual(await refusal(await post(server, text, { type })), [400, 'invalid_client_metadata'], type);
  }
  for (const json of ['', '{', '[]', 'null', '"x"', '7', `[${text}]`, `${text.slice(0, -1)},"client_name":"Other"}`])
    assert.deepEqual(await refusal(await post(server, json)), [400, 'invalid_client_metadata'], json);
  assert.equal((await post(server, text, { type: 'application/json; charset=utf-8' })).status, 201);
  assert.deepEqual(await refusal(await post(server, { ...body, client_name: 'x'.repeat(65_536) })), [413, 'content_too_large']);
  assert.equal((await server.request('/register')).status, 405);
});

test('[DCR-05] each refusal has its code, and nothing is stored', async () => {
  const server = await start();
  const refused: [string, Record<string, unknown>][] = [
    ['invalid_redirect_uri', { redirect_uris: undefined }],
    ['invalid_redirect_uri', { redirect_uris: ['http://evil.example/cb'] }],
    ['invalid_redirect_uri', { redirect_uris: ['https://app.example/cb', 'javascript:alert(1)'] }],
    ['invalid_redirect_uri', { redirect_uris: ['http://localhost:*/callback'] }],
    ['invalid_client_metadata', { grant_types: ['client_credentials'] }],
    ['invalid_client_metadata', { response_types: ['token'] }],
    ['invalid_client_metadata', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['invalid_client_metadata', { jwks: { keys: [{ kty: 'EC', d: 'x' }] } }],
  ];
  for (const [error, members] of refused) assert.deepEqual(await refusal(await post(server, { ...body, ...members })), [400, error], JSON.stringify(members));
  assert.deepEqual(await server.store.listClients(), []);
});

test('[DCR-08] [DCR-10] the accepted subset is what comes back', async () => {
  const server = await start();

  const answer = await registered(server, {
    ...body,
    redirect_uris: ['unknown://cb', 'https://app.example/cb', 'http://localhost:*/x'],
    grant_types: ['authorization_code', 'client_credentials'],
  });

  assert.deepEqual(answer['redirect_uris'], ['https://app.example/cb']);
  assert.deepEqual(answer['grant_types'], ['authorization_code', 'refresh_token']);
});

test('[DCR-11] [DCR-13] [CIMD-23] nobody chooses an id, a secret or a right, and a software statement is not echoed', async () => {
  const server = await start();
  const greedy = {
    client_id: 'https://github.com/app',
    client_secret: 'chosen',
    grant_types: ['authorization_code', 'client_credentials'],
    registration: 'manual',
    software_statement: 'a.b.c',
    default_resource: 'https://mcp.example.com',
  };

  const answer = await registered(server, { ...body, ...greedy });

  assert.match(answer.client_id, /^client_/);
  assert.ok(!('client_secret' in answer) && !('software_statement' in answer));
  const client = await server.store.findClient(answer.client_id);
  assert.equal(client?.registration, 'dynamic');
  assert.equal(client?.defaultResource, undefined);
  assert.deepEqual(client?.metadata.grantTypes, ['authorization_code', 'refresh_token']);
});

test('[DCR-17] the same body twice makes two clients', async () => {
  const server = await start();

  const one = await registered(server, body);
  const other = await registered(server, body);

  assert.notEqual(one.client_id, other.client_id);
  assert.equal((await server.store.listClients()).length, 2);
});

test('[DCR-14] one address is limited, with 429 and Retry-After, and others are not', async () => {
  const server = await start({ registrationsPerHourAndAddress: 3 });
  for (let index = 0; index < 3; index++) await registered(server, body, `2001:db8:1:2::${index + 1}`);

  const refused = await post(server, body, { address: '2001:db8:1:2:ffff::9' });

  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.deepEqual(await refusal(refused), [429, 'too_many_requests']);
  await registered(server, body, '198.51.100.1');
  server.clock.advance(3600);
  await registered(server, body, '2001:db8:1:2::1');
});

test('[DCR-14] [RATE-03] listed addresses of hosted clients count only towards the limit of everybody', async () => {
  const server = await start({ registrationsPerHourAndAddress: 1, registrationsPerHour: 5, unlimitedAddresses: ['160.79.104.0/21'] });
  for (let index = 0; index < 5; index++) await registered(server, body, '160.79.106.1');

  assert.deepEqual(await refusal(await post(server, body, { address: '160.79.106.1' })), [429, 'too_many_requests']);
  assert.deepEqual(await refusal(await post(server, body, { address: '198.51.100.1' })), [429, 'too_many_requests']);
});

test('[DCR-14] a refused body costs nothing of the limit', async () => {
  const server = await start({ registrationsPerHourAndAddress: 1 });
  for (let index = 0; index < 5; index++) assert.equal((await post(server, { ...body, redirect_uris: [] })).status, 400);

  await registered(server, body);
});

test('[DCR-14] at the cap, clients unused for a day make room; until then the door is shut with 429', async () => {
  const server = await start({ maxUnconsented: 3 });
  const first = await registered(server, body);
  for (let index = 0; index < 2; index++) await registered(server, body);
  assert.deepEqual(await refusal(await post(server, body)), [429, 'too_many_requests']);

  server.clock.advance(86401);
  await registered(server, body);

  assert.ok((await server.store.findClient(first.client_id))?.removedAt !== undefined);
});

test('[DCR-14] a client that nobody uses becomes a tombstone, later nothing', async () => {
  const server = await start({ unusedSeconds: 30 * 86400, tombstoneSeconds: 365 * 86400 });
  const { client_id } = await registered(server, { ...body, token_endpoint_auth_method: 'client_secret_post' });
  server.clock.advance(30 * 86400);
  assert.equal(await expireClients(server.context), 0);

  server.clock.advance(1);
  assert.equal(await expireClients(server.context), 1);
  const tombstone = await server.store.findClient(client_id);
  assert.deepEqual(tombstone?.metadata.redirectUris, body.redirect_uris);
  assert.equal(tombstone?.secretHash, undefined);
  server.clock.advance(365 * 86400 + 1);
  await expireClients(server.context);

  assert.equal(await server.store.findClient(client_id), undefined);
});

test('[DCR-16] closed registration is 404 and absent from the metadata', async () => {
  const advertised = async (server: TestServer) => {
    const metadata = (await (await server.request('/.well-known/oauth-authorization-server')).json()) as Record<string, unknown>;
    return metadata['registration_endpoint'];
  };
  const closed = await testServer({ clients: { registration: 'closed' } });
  const open = await testServer();

  assert.deepEqual(await refusal(await post(closed, body)), [404, 'not_found']);
  assert.equal(await advertised(closed), undefined);
  assert.equal(await advertised(open), `${issuer}/register`);
  await registered(open, body);
});

test('a registration leaves one event that says who, what and from where', async () => {
  const server = await start();

  const { client_id } = await registered(server, { ...body, redirect_uris: [...body.redirect_uris, 'unknown://cb'] }, '198.51.100.9');

  const [event, ...others] = await server.store.listEvents({ type: 'client.registered', limit: 10 });
  assert.deepEqual(others, []);
  assert.equal(event?.clientId, client_id);
  assert.equal(event?.address, '198.51.100.9');
  assert.deepEqual(event?.detail, {
    name: 'An app',
    redirect_uris: ['http://localhost/callback'],
    auth_method: 'none',
    notes: ['A private-use scheme must be a reverse domain name, such as com.example.app'],
  });
});

test('[CORS-03] a browser client may register from any origin', async () => {
  const server = await start();

  const preflight = await server.request('/register', {
    method: 'OPTIONS',
    headers: { Origin: 'http://localhost:6274', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type' },
  });

  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
  assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /Content-Type/);
  assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /POST/);
});

const fixtures = new URL('../../src/clients/fixtures/', import.meta.url);
for (const name of readdirSync(fixtures).filter((file) => file.endsWith('.registration.json'))) {
  const { client, body: sent } = JSON.parse(readFileSync(new URL(name, fixtures), 'utf8')) as { client: string; body: Record<string, unknown> };
  test(`[DCR-02] [DCR-08] ${client} registers with the body it really sends`, async () => {
    const server = await start();

    const answer = await registered(server, sent);

    assert.deepEqual(answer['redirect_uris'], sent['redirect_uris']);
    assert.equal(answer['client_name'], sent['client_name']);
    assert.equal('client_secret' in answer, sent['token_endpoint_auth_method'] !== 'none');
    for (const value of Object.values(answer)) assert.ok(value !== null && value !== '' && !(Array.isArray(value) && value.length === 0));
  });
}

test('[DCR-01] [DCR-05] whatever is posted: 201 or a plain refusal, never a fault, never an echo', async () => {
  const server = await start({ registrationsPerHourAndAddress: 1_000_000, registrationsPerHour: 1_000_000, maxUnconsented: 1_000_000 });
  const canary = '<script>canary</script>';
  const value = fc.oneof(fc.constantFrom<unknown>(canary, [canary], ['https://app.example/cb'], ['code'], null, ''), fc.jsonValue());
  const names = 'redirect_uris grant_types response_types token_endpoint_auth_method client_name scope jwks jwks_uri contacts client_uri __proto__'.split(' ');
  const json = fc.oneof(
    fc.dictionary(fc.constantFrom(...names), value).map((members) => JSON.stringify(members)),
    fc.json(),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(json, async (text) => {
      const response = await post(server, text);
      const answer = await response.text();
      assert.ok(response.status === 201 || response.status === 400, `${response.status} ${answer}`);
      if (response.status === 400) assert.doesNotMatch(answer, /canary|Error:|node:|\.ts:/);
    }),
    { numRuns: 300 },
  );
});
