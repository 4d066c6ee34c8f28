/**
 * What a client that registered itself can do with its registration (RFC 7592), and what nobody else can.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { auditEvent } from '../../src/audit/event.ts';
import type { ServerOptions } from '../../src/options.ts';
import type { Client } from '../../src/storage/store.ts';
import { issuer } from '../harness.ts';
import { basic, bearer, errorOf, type Json, redemption, type Stage, stage } from './token-stage.ts';

const redirect = 'http://localhost/callback';
const body = { client_name: 'An app', redirect_uris: [redirect], token_endpoint_auth_method: 'none' };
type Registered = { client_id: string; registration_access_token: string; registration_client_uri: string; client_secret?: string } & Json;
const unauthorized = { status: 401, error: 'invalid_token', description: 'The registration access token is not valid' };

const sendJson = (on: Stage, path: string, method: string, value: unknown, token?: string) =>
  on.request(path, { method, headers: { 'Content-Type': 'application/json', ...(token !== undefined && bearer(token)) }, body: JSON.stringify(value) });
async function registered(on: Stage, more: Json = {}): Promise<Registered> {
  const response = await sendJson(on, '/register', 'POST', { ...body, ...more });
  assert.equal(response.status, 201);
  return (await response.json()) as Registered;
}
const manage = (on: Stage, method: 'GET' | 'DELETE', { registration_client_uri }: Registered, token: string) =>
  on.request(registration_client_uri, { method, headers: bearer(token) });
const put = (on: Stage, { client_id, registration_client_uri }: Registered, token: string, more: Json = {}) =>
  sendJson(on, registration_client_uri, 'PUT', { client_id, ...body, ...more }, token);
/** Lets Ada allow the client, and gives its tokens. */
async function connected(on: Stage, { client_id }: Registered) {
  const client = await on.store.findClient(client_id);
  assert.ok(client);
  return on.tokens({ client });
}

test('[DCM-01] the client reads what it registered, with its token and its address, and the secret is never shown again', async () => {
  const on = await stage();
  const own = await registered(on, { token_endpoint_auth_method: 'client_secret_basic', scope: 'files:read' });

  const response = await manage(on, 'GET', own, own.registration_access_token);

  const { client_secret: _, client_secret_expires_at: __, ...known } = own;
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.deepEqual(await response.json(), known);
  assert.equal((await on.request('/register', { headers: bearer(own.registration_access_token) })).status, 405);
});

test('[DCM-01] both tokens of a registration are kept as hashes only, and are in no log and no event', async () => {
  const on = await stage();
  const own = await registered(on);
  const next = (await (await put(on, own, own.registration_access_token)).json()) as Registered;
  await manage(on, 'GET', own, 'rat_wrong');

  const kept = JSON.stringify([await on.store.findClient(own.client_id), on.logged, await on.store.listEvents({ limit: 100 })]);
  for (const token of [own.registration_access_token, next.registration_access_token]) assert.ok(!kept.includes(token) && !kept.includes(token.slice(4)));
});

test('[DCM-02] a missing or wrong token, the token of another client, an unknown and a removed client are all the same 401', async () => {
  const on = await stage();
  const [own, other] = [await registered(on), await registered(on)];
  const manual = await on.addClient({ id: 'client_manual' });
  const gone = await registered(on);
  assert.equal((await manage(on, 'DELETE', gone, gone.registration_access_token)).status, 204);

  for (const method of ['GET', 'DELETE', 'PUT'] as const) {
    const at = (id: string, headers: Record<string, string>) =>
      on.request(`/register/${id}`, { method, headers: { 'Content-Type': 'application/json', ...headers }, body: method === 'PUT' ? '{}' : null });
    const attempts: [string, Record<string, string>][] = [
      [own.client_id, {}],
      [own.client_id, bearer('')],
      [own.client_id, { Authorization: own.registration_access_token }],
      [own.client_id, basic(own.client_id, own.registration_access_token)],
      [own.client_id, bearer('rat_wrong')],
      [own.client_id, bearer(other.registration_access_token)],
      [`${own.client_id}x`, bearer(own.registration_access_token)],
      [manual.id, bearer(own.registration_access_token)],
      [gone.client_id, bearer(gone.registration_access_token)],
    ];
    for (const [id, headers] of attempts) {
      const response = await at(id, headers);
      assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer .*error="invalid_token"/);
      assert.deepEqual(await errorOf(response), unauthorized, `${method} ${id}`);
    }
  }
  assert.equal((await manage(on, 'GET', own, own.registration_access_token)).status, 200);
});

test('[DCM-02] the registration of one tenant is unknown in another', async () => {
  const on = await stage();
  const own = await registered(on);
  await on.server.storage.addTenant({ tenant: 'acme', name: 'Acme', createdAt: 0 });

  const response = await on.request(`/t/acme/register/${own.client_id}`, { headers: bearer(own.registration_access_token) });

  assert.deepEqual(await errorOf(response), unauthorized);
  const there = (await (await sendJson(on, '/t/acme/register', 'POST', body)).json()) as Registered;
  assert.equal(there.registration_client_uri, `${issuer}/t/acme/register/${there.client_id}`);
  assert.equal((await manage(on, 'GET', there, there.registration_access_token)).status, 200);
});

test('[DCM-03] a replacement replaces everything and comes with a new token; the old one is good no longer', async () => {
  const on = await stage();
  const own = await registered(on, { client_uri: 'https://app.example', scope: 'files:read' });

  const response = await put(on, own, own.registration_access_token, { client_name: 'Another name' });

  const next = (await response.json()) as Registered;
  assert.equal(response.status, 200);
  assert.deepEqual([next.client_id, next['client_name'], 'client_uri' in next, 'scope' in next], [own.client_id, 'Another name', false, false]);
  assert.notEqual(next.registration_access_token, own.registration_access_token);
  assert.deepEqual(await errorOf(await manage(on, 'GET', own, own.registration_access_token)), unauthorized);
  assert.equal((await manage(on, 'GET', own, next.registration_access_token)).status, 200);
});

test('[DCM-03] what a client may not set, another id, a wrong secret and dangerous metadata change nothing', async () => {
  const on = await stage();
  const own = await registered(on, { token_endpoint_auth_method: 'client_secret_post' });
  const before = await on.store.findClient(own.client_id);
  const wrong: [Json, string][] = [
    [{ registration_access_token: own.registration_access_token }, 'invalid_client_metadata'],
    [{ registration_client_uri: own.registration_client_uri }, 'invalid_client_metadata'],
    [{ client_secret_expires_at: 0 }, 'invalid_client_metadata'],
    [{ client_id_issued_at: 1 }, 'invalid_client_metadata'],
    [{ client_id: undefined }, 'invalid_client_metadata'],
    [{ client_id: 'client_other' }, 'invalid_client_metadata'],
    [{ client_secret: 'cs_wrong' }, 'invalid_client_metadata'],
    [{ client_secret: 5 }, 'invalid_client_metadata'],
    [{ redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    [{ redirect_uris: [] }, 'invalid_redirect_uri'],
    [{ token_endpoint_auth_method: 'private_key_jwt' }, 'invalid_client_metadata'],
  ];
  for (const [more, code] of wrong) {
    const refused = await errorOf(await put(on, own, own.registration_access_token, { token_endpoint_auth_method: 'client_secret_post', ...more }));
    assert.deepEqual([refused.status, refused.error], [400, code], JSON.stringify(more));
  }
  assert.deepEqual(await on.store.findClient(own.client_id), before);
  const kept = await put(on, own, own.registration_access_token, { token_endpoint_auth_method: 'client_secret_post', client_secret: own.client_secret ?? '' });
  assert.equal('client_secret' in ((await kept.json()) as Json), false);
  assert.equal(kept.status, 200);
});

test('[DCM-03] [DCR-13] a replacement gives no more than a registration', async () => {
  const on = await stage();
  const own = await registered(on);

  await put(on, own, own.registration_access_token, {
    grant_types: ['authorization_code', 'client_credentials'],
    registration: 'manual',
    server_id: on.mcp.id,
  });

  const client = await on.store.findClient(own.client_id);
  assert.deepEqual([client?.registration, client?.metadata.grantTypes, client?.serverId], ['dynamic', ['authorization_code', 'refresh_token'], undefined]);
});

test('[DCM-03] other redirect URIs, another way to authenticate or other places to hear of a sign-out end what people allowed; another name does not', async () => {
  const sector = new TextEncoder().encode(JSON.stringify([redirect]));
  const on = await stage({ fetchDocument: async () => ({ status: 200, headers: {}, body: sector }) });
  const inSector = (host: string) => ({ subject_type: 'pairwise', sector_identifier_uri: `https://${host}/sector.json` });
  const changes: [more: Json, ends: boolean, first?: Json][] = [
    [{ client_name: 'Renamed', logo_uri: 'https://app.example/logo' }, false],
    [{ redirect_uris: [redirect, 'https://evil.example/cb'] }, true],
    [{ token_endpoint_auth_method: 'client_secret_basic' }, true],
    [{ backchannel_logout_uri: 'https://evil.example/logout' }, true],
    [{ post_logout_redirect_uris: ['https://evil.example/bye'] }, true],
    [inSector('app.example'), false, inSector('app.example')],
    [inSector('evil.example'), true, inSector('app.example')],
  ];
  for (const [more, ends, first] of changes) {
    const own = await registered(on, first);
    const tokens = await connected(on, own);

    assert.equal((await put(on, own, own.registration_access_token, more)).status, 200);

    assert.equal((await on.introspect(tokens.access_token))['active'], !ends, JSON.stringify(more));
    const client = await on.store.findClient(own.client_id);
    const asked = await on.store.allowedScopes({ userId: on.user.id, clientId: client?.id ?? '', resource: on.mcp.resource }, on.clock.now());
    assert.equal(asked.length > 0, !ends);
  }
});

test('[DCM-03] replacements are limited by registration and by address, and none of those beyond is kept or recorded', async () => {
  const on = await stage({ limits: ['replace.client=2/1h', 'replace.address=3/1h'] });
  const [own, other] = [await registered(on), await registered(on)];
  const replace = async (registration: Registered) => {
    const response = await put(on, registration, registration.registration_access_token, { client_name: `Name ${on.clock.now()}` });
    if (response.status === 200) Object.assign(registration, await response.json());
    return response.status;
  };

  assert.deepEqual([await replace(own), await replace(own), await replace(own)], [200, 200, 429]);
  assert.deepEqual([await replace(other), await replace(other)], [200, 429]);
  assert.equal((await on.store.listEvents({ type: 'client.replaced', limit: 10 })).length, 3);
});

test('[DCM-03] the event of a replacement says what changed and where codes may go now, in bounds', async () => {
  const on = await stage();
  const own = await registered(on);
  const long = Array.from({ length: 30 }, (_, index) => `https://app.example/${index}/${'x'.repeat(400)}`);

  assert.equal((await put(on, own, own.registration_access_token, { redirect_uris: [redirect, ...long], client_name: 'Renamed' })).status, 200);

  const [event] = await on.store.listEvents({ type: 'client.replaced', limit: 1 });
  assert.deepEqual(event?.detail?.['changed'], ['client_name', 'redirect_uris']);
  assert.deepEqual(
    event?.detail?.['new_redirect_uris'],
    long.slice(0, 5).map((uri) => uri.slice(0, 200)),
  );
  assert.ok(JSON.stringify(event).length < 2000);
});

test('[DCM-03] a client that begins to need a secret gets one, and one that stops has none', async () => {
  const on = await stage();
  const own = await registered(on);
  const secretive = (await (await put(on, own, own.registration_access_token, { token_endpoint_auth_method: 'client_secret_basic' })).json()) as Registered;
  assert.match(secretive.client_secret ?? '', /^cs_/);
  assert.equal(secretive['client_secret_expires_at'], 0);
  const asClient = (secret: string) => on.post('/introspect', { token: 'x' }, basic(own.client_id, secret));
  assert.equal((await asClient(secretive.client_secret ?? '')).status, 200);

  const open = (await (await put(on, own, secretive.registration_access_token)).json()) as Registered;

  assert.equal('client_secret' in open, false);
  assert.equal((await asClient(secretive.client_secret ?? '')).status, 401);
  assert.equal((await on.store.findClient(own.client_id))?.secretHash, undefined);
});

test('[DCM-04] a deletion ends the client, its codes, its tokens and what people allowed it', async () => {
  const on = await stage();
  const own = await registered(on);
  const client = await on.store.findClient(own.client_id);
  assert.ok(client);
  const tokens = await connected(on, own);
  const { code } = await on.code({ client });

  const response = await manage(on, 'DELETE', own, own.registration_access_token);

  assert.equal(response.status, 204);
  assert.equal(await response.text(), '');
  assert.deepEqual(await on.introspect(tokens.access_token), { active: false });
  assert.equal((await errorOf(await on.post('/token', redemption(client, code)))).error, 'invalid_client');
  const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: own.client_id };
  assert.equal((await errorOf(await on.post('/token', refresh))).error, 'invalid_client');
  assert.deepEqual(await on.store.listAgents(on.user.id, on.clock.now()), []);
  assert.deepEqual(await errorOf(await manage(on, 'DELETE', own, own.registration_access_token)), unauthorized);
  assert.equal((await on.store.listEvents({ type: 'client.removed', limit: 5 }))[0]?.actor, `client:${own.client_id}`);
});

test('[DCM-01] [CORS-02] a browser may manage a registration from any origin', async () => {
  const on = await stage();
  const own = await registered(on);

  const preflight = await on.request(own.registration_client_uri, { method: 'OPTIONS', headers: { Origin: 'https://app.example' } });

  assert.equal(preflight.headers.get('access-control-allow-methods'), 'GET, HEAD, PUT, DELETE');
  assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /Authorization/);
  assert.equal((await on.request(own.registration_client_uri, { method: 'POST' })).status, 405);
});

test('[DCM-02] [DCM-03] whatever is sent to a registration, the answer is never a 5xx, and without the token nothing changes', async () => {
  const on = await stage({ limits: ['replace.client=off', 'replace.address=off'] });
  const own = await registered(on);
  const before = await on.store.findClient(own.client_id);
  const header = fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 60 }),
    fc.base64String({ maxLength: 60 }).map((text) => `Bearer rat_${text}`),
  );
  const text = fc.oneof(fc.json({ maxDepth: 2 }), fc.string({ maxLength: 60 }), fc.constant(JSON.stringify({ client_id: own.client_id, ...body })));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('GET', 'PUT', 'DELETE'), header, text, async (method, authorization, sent) => {
      const headers = new Headers({ 'Content-Type': 'application/json' });
      try {
        headers.set('Authorization', authorization);
      } catch {
        return;
      }
      const response = await on.request(own.registration_client_uri, { method, headers, body: method === 'PUT' ? sent : null });
      assert.equal(response.status, 401);
    }),
    { numRuns: 150 },
  );
  assert.deepEqual(await on.store.findClient(own.client_id), before);
  const members = fc.dictionary(
    fc.constantFrom(...Object.keys(body), 'client_id', 'client_secret', 'jwks', 'scope', '__proto__'),
    fc.jsonValue({ maxDepth: 2 }),
  );
  await fc.assert(
    fc.asyncProperty(members, async (more) => {
      const response = await put(on, own, own.registration_access_token, more as Json);
      if (response.status === 200) own.registration_access_token = ((await response.json()) as Registered).registration_access_token;
      else assert.equal(response.status, 400);
    }),
    { numRuns: 150 },
  );
  const ids = fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (id) => {
    const response = await on.request(`/register/${encodeURIComponent(id.toWellFormed())}`, { headers: bearer(own.registration_access_token) });
    assert.ok([401, 404].includes(response.status), `${response.status}`);
  });
  await fc.assert(ids, { numRuns: 60 });
});

const withMode = (registration: NonNullable<NonNullable<ServerOptions['clients']>['registration']>) => stage({ clients: { registration } });
const handedOut = async (on: Stage, uses = 2) => {
  const { newRegistrationToken } = await import('../../src/clients/registration-token.ts');
  const { value, row } = newRegistrationToken({ name: 'Partners', uses, lifetimeSeconds: 600 }, on.clock.now());
  await on.store.addRegistrationToken(row, auditEvent('registration_token.created', on.clock.now(), 'test'));
  return { value, row };
};
const metadataOf = async (on: Stage) => (await (await on.request('/.well-known/oauth-authorization-server')).json()) as Json;

test('[DCR-05] [DCR-16] with tokens only, whoever has none, a wrong or a used-up one gets 401 and is not registered', async () => {
  const on = await withMode('token');
  const { value, row } = await handedOut(on);
  const register = (token?: string, more: Json = {}) => sendJson(on, '/register', 'POST', { ...body, ...more }, token);
  assert.equal((await metadataOf(on))['registration_endpoint'], `${issuer}/register`);

  const anonymous = await register();
  assert.match(anonymous.headers.get('www-authenticate') ?? '', /error="invalid_token"/);
  assert.deepEqual(await errorOf(anonymous), { status: 401, error: 'invalid_token', description: 'An initial access token is required' });
  for (const wrong of ['iat_wrong', row.id, 'x'])
    assert.deepEqual(await errorOf(await register(wrong)), { status: 401, error: 'invalid_token', description: 'The initial access token is not valid' });

  // What fails for another reason takes no use.
  assert.equal((await register(value, { redirect_uris: ['javascript:x'] })).status, 400);
  assert.deepEqual([(await register(value)).status, (await register(value)).status, (await register(value)).status], [201, 201, 401]);
  assert.equal((await on.store.listClients()).filter(({ registration }) => registration === 'dynamic').length, 2);
  const events = await on.store.listEvents({ type: 'client.registered', limit: 10 });
  assert.equal(events.filter(({ detail }) => detail?.['registration_token'] === row.id).length, 2);
  assert.ok(!JSON.stringify([on.logged, await on.store.listEvents({ limit: 99 })]).includes(value.slice(4)));

  const other = await handedOut(on);
  on.clock.advance(600);
  assert.equal((await register(other.value)).status, 401);
});

test('[DCR-16] [DCR-14] whoever has no good token takes nothing from the limits of those who have one', async () => {
  const on = await stage({ clients: { registration: 'token', registrationsPerHour: 2, registrationsPerHourAndAddress: 2 } });
  const { value } = await handedOut(on);
  const register = async (token: string) => (await sendJson(on, '/register', 'POST', body, token)).status;

  for (let tried = 0; tried < 5; tried++) assert.equal(await register(`iat_wrong_${tried}`), 401);

  assert.deepEqual([await register(value), await register(value)], [201, 201]);
});

test('[DCR-16] closed, there is no endpoint; who registered before may still manage and end it', async () => {
  const on = await stage();
  const own = await registered(on);
  const { server: closed } = await (await import('../harness.ts')).testServer({ clients: { registration: 'closed' }, driver: on.server.options.driver });
  const ask = (path: string, init: RequestInit) => closed.fetch(new Request(issuer + path, init), { address: '203.0.113.7' });

  assert.equal((await ask('/register', { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } })).status, 404);
  assert.doesNotMatch(await (await ask('/.well-known/oauth-authorization-server', {})).text(), /registration_endpoint/);
  assert.equal((await ask(`/register/${own.client_id}`, { method: 'DELETE', headers: bearer(own.registration_access_token) })).status, 204);
});

test('[DCR-16] a client that waits for approval can ask nobody for anything, until an operator approves it', async () => {
  const on = await withMode('approval');
  const own = await registered(on);
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: own.client_id,
    redirect_uri: redirect,
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
    resource: on.mcp.resource,
  });
  const ask = () => on.request(`/authorize?${query}`, { headers: { Accept: 'text/html' } });
  const waiting = await ask();
  const page = await waiting.text();

  assert.equal(waiting.status, 400);
  assert.match(page, /This app waits for approval/);
  assert.ok(page.includes(own.client_id));
  const redeem = { grant_type: 'authorization_code', client_id: own.client_id, code: 'ac_x', code_verifier: 'x'.repeat(43) };
  assert.equal((await errorOf(await on.post('/token', redeem))).error, 'invalid_client');
  assert.equal((await manage(on, 'GET', own, own.registration_access_token)).status, 200);

  assert.equal(await on.store.approveClient((await on.store.findClient(own.client_id)) as Client, auditEvent('client.approved', on.clock.now(), 'test')), true);
  assert.equal((await ask()).status, 200);
  assert.equal((await errorOf(await on.post('/token', redeem))).error, 'invalid_grant');
});

test('[DCR-16] [DCM-03] what was approved is what the client said then: another description waits again', async () => {
  const on = await withMode('approval');
  const own = await registered(on);
  await on.store.approveClient((await on.store.findClient(own.client_id)) as Client, auditEvent('client.approved', on.clock.now(), 'test'));
  const pending = async () => (await on.store.findClient(own.client_id))?.pendingSince !== undefined;

  const same = (await (await put(on, own, own.registration_access_token, { logo_uri: 'https://app.example/logo' })).json()) as Registered;
  assert.equal(await pending(), false);
  await put(on, own, same.registration_access_token, { client_name: 'Claude Code' });
  assert.equal(await pending(), true);
});

test('[DCR-16] who brings a token need not wait for approval, and a wrong one is not taken for none', async () => {
  const on = await withMode('approval');
  const { value } = await handedOut(on);

  const trusted = (await (await sendJson(on, '/register', 'POST', body, value)).json()) as Registered;

  assert.equal((await on.store.findClient(trusted.client_id))?.pendingSince, undefined);
  assert.equal((await sendJson(on, '/register', 'POST', body, 'iat_wrong')).status, 401);
  const open = await stage();
  assert.equal((await sendJson(open, '/register', 'POST', body, 'whatever')).status, 201);
});
