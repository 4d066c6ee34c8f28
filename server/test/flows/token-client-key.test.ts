/**
 * private_key_jwt at every endpoint that authenticates clients: what a good assertion is, and the exact answer to each kind of bad one.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { FetchFailure } from '../../src/clients/fetch-failure.ts';
import { findClient } from '../../src/clients/find.ts';
import type { DocumentFetcher } from '../../src/options.ts';
import type { Client } from '../../src/storage/store.ts';
import { issuer, pkce, start } from '../harness.ts';
import { es256, forged, type Jwk, type Signer, signer } from '../signer.ts';
import { basic, errorOf, redemption, type Stage, stage } from './token-stage.ts';

const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const jwksUri = 'https://app.example/jwks.json';
const ask = { grant_type: 'client_credentials' };
const machine = { grantTypes: ['client_credentials'], scope: 'files:read', redirectUris: [], responseTypes: [] };
const refused = { status: 401, error: 'invalid_client', description: 'Client authentication failed' };

let ids = 0;
const good = (id = 'machine', now = start) => ({ iss: id, sub: id, aud: issuer, iat: now, exp: now + 300, jti: `jti-${++ids}` });
const asserted = (assertion: string): Record<string, string> => ({ client_assertion: assertion, client_assertion_type: type });

async function withKeys(keys: Jwk[], options: Parameters<typeof stage>[0] = {}): Promise<Stage> {
  const scene = await stage(options);
  await addKeyed(scene, { jwks: { keys } });
  return scene;
}

function addKeyed(scene: Stage, metadata: Partial<Client['metadata']>, id = 'machine', registration: Client['registration'] = 'manual'): Promise<Client> {
  return scene.addClient({
    id,
    registration,
    defaultResource: 'https://mcp.example.com/mcp',
    metadata: { ...machine, tokenEndpointAuthMethod: 'private_key_jwt', ...metadata },
  });
}

/** A host of key sets that says how often it was asked. */
type KeyHost = {
  keys: Jwk[];
  asked: string[];
  limits?: unknown;
  headers: Record<string, string>;
  fails?: Error | undefined;
  text?: string | undefined;
  fetchDocument: DocumentFetcher;
};

function keyHost(keys: Jwk[]): KeyHost {
  const host: KeyHost = {
    keys,
    asked: [],
    headers: {},
    fetchDocument: async (url, limits) => {
      host.asked.push(url);
      host.limits = limits;
      if (host.fails) throw host.fails;
      const body = new TextEncoder().encode(host.text ?? JSON.stringify({ keys: host.keys }));
      return { status: 200, headers: { 'content-type': 'application/jwk-set+json', ...host.headers }, body };
    },
  };
  return host;
}

test('[CA-06] [CC-04] [D7] a client that signs a fresh assertion for this issuer gets its token, with client_id or without', async () => {
  const key = signer();
  const { post } = await withKeys([key.jwk]);

  const without = await post('/token', { ...ask, ...asserted(await key.sign(good())) });
  const withId = await post('/token', { ...ask, client_id: 'machine', ...asserted(await key.sign(good())) });
  const inArray = await post('/token', { ...ask, ...asserted(await key.sign({ ...good(), aud: [issuer] })) });

  assert.deepEqual([without.status, withId.status, inArray.status], [200, 200, 200]);
  const body = (await without.json()) as Record<string, unknown>;
  assert.deepEqual([body.token_type, body.scope, 'refresh_token' in body], ['Bearer', 'files:read', false]);
});

test('[CA-06] every asymmetric algorithm that the metadata lists is accepted', async () => {
  const keys = [signer('ec'), signer('rsa', 'RS256'), signer('ed', 'EdDSA')];
  // A key that names its algorithm is good for that one only; without, the kind of the key decides.
  const { post, request } = await withKeys(keys.map(({ jwk: { alg: _, ...jwk } }) => jwk));
  const [ec, rsa, ed] = keys as [Signer, Signer, Signer];
  const metadata = (await (await request('/.well-known/oauth-authorization-server')).json()) as Record<string, string[]>;

  for (const [key, alg] of [
    [ec, 'ES256'],
    [rsa, 'RS256'],
    [rsa, 'RS384'],
    [rsa, 'RS512'],
    [rsa, 'PS256'],
    [rsa, 'PS384'],
    [rsa, 'PS512'],
    [ed, 'EdDSA'],
    [ed, 'Ed25519'],
  ] as const) {
    assert.equal((await post('/token', { ...ask, ...asserted(await key.sign(good(), { alg })) })).status, 200, alg);
    for (const endpoint of ['token', 'introspection', 'revocation'])
      assert.ok(metadata[`${endpoint}_endpoint_auth_signing_alg_values_supported`]?.includes(alg), `${endpoint} ${alg}`);
  }
});

test('[CA-06] [CA-07] [CA-09] [D7] whatever is wrong with an assertion, the answer is the same 401 and no token', async () => {
  const key = signer();
  const stranger = signer();
  const claims = good();
  const { iss: _iss, ...withoutIss } = claims;
  const { exp: _exp, ...withoutExp } = claims;
  const { jti: _jti, ...withoutJti } = claims;
  const bad: [name: string, assertion: string][] = [
    ['signed by somebody else under the same kid', await stranger.sign(good())],
    ['a kid that the client does not have', await stranger.sign(good(), { kid: 'other' })],
    ['alg none', forged({ alg: 'none', kid: key.kid }, good(), () => Buffer.from('x'))],
    ['HS256 with the public key as secret', forged({ alg: 'HS256', kid: key.kid }, good(), hmac(JSON.stringify(key.jwk)))],
    ['RS256 said of an EC key', forged({ alg: 'RS256', kid: key.kid }, good(), es256(key.privateKey))],
    ['its own key in the header', forged({ alg: 'ES256', jwk: stranger.jwk }, good(), es256(stranger.privateKey))],
    ['the address of its own keys', forged({ alg: 'ES256', kid: 'x', jku: jwksUri, x5u: jwksUri }, good(), es256(stranger.privateKey))],
    ['a certificate of its own', forged({ alg: 'ES256', x5c: ['MIIB'] }, good(), es256(stranger.privateKey))],
    ['a critical header', forged({ alg: 'ES256', kid: key.kid, crit: ['exp'], exp: 1 }, good(), es256(key.privateKey))],
    ['unencoded payload', forged({ alg: 'ES256', kid: key.kid, crit: ['b64'], b64: false }, good(), es256(key.privateKey))],
    ['typ of an access token', await key.sign(good(), { typ: 'at+jwt' })],
    ['typ of an ID-JAG', await key.sign(good(), { typ: 'oauth-id-jag+jwt' })],
    ['typ of a DPoP proof', await key.sign(good(), { typ: 'dpop+jwt' })],
    ['typ of a logout token', await key.sign(good(), { typ: 'application/logout+jwt' })],
    ['typ that is no string', forged({ alg: 'ES256', kid: key.kid, typ: 7 }, good(), es256(key.privateKey))],
    ['addressed to the token endpoint', await key.sign({ ...good(), aud: `${issuer}/token` })],
    ['addressed to another server', await key.sign({ ...good(), aud: 'https://other.example.com' })],
    ['addressed to us and another', await key.sign({ ...good(), aud: [issuer, 'https://other.example.com'] })],
    ['addressed twice to us', await key.sign({ ...good(), aud: [issuer, issuer] })],
    ['the issuer with a slash', await key.sign({ ...good(), aud: `${issuer}/` })],
    ['addressed to a tenant', await key.sign({ ...good(), aud: `${issuer}/t/acme` })],
    ['addressed to nobody', await key.sign({ ...good(), aud: [] })],
    ['from another client', await key.sign({ ...good(), iss: 'other' })],
    ['from nobody', await key.sign({ ...withoutIss, jti: 'from-nobody' })],
    ['without an end', await key.sign({ ...withoutExp, jti: 'without-end' })],
    ['an end as text', await key.sign({ ...good(), exp: String(start + 300) as unknown as number })],
    ['over for more than the skew', await key.sign({ ...good(), exp: start - 60 })],
    ['good for longer than ten minutes', await key.sign({ ...good(), exp: start + 661 })],
    ['made in the future', await key.sign({ ...good(), iat: start + 61 })],
    ['made long ago', await key.sign({ ...good(), iat: start - 661 })],
    ['not yet good', await key.sign({ ...good(), nbf: start + 61 })],
    ['without an id', await key.sign(withoutJti)],
    ['an empty id', await key.sign({ ...good(), jti: '' })],
    ['an id as long as a book', await key.sign({ ...good(), jti: 'x'.repeat(257) })],
    ['longer than 16 KiB', await key.sign({ ...good(), padding: 'x'.repeat(16_384) })],
    ['no JWT', 'x.y.z'],
    ['five parts', 'a.b.c.d.e'],
  ];

  for (const [name, assertion] of bad) {
    // Each on a server of its own, else the guard against guessing would answer.
    const { post } = await withKeys([key.jwk]);
    const response = await post('/token', { ...ask, ...asserted(assertion) });
    assert.match(response.headers.get('www-authenticate') ?? '', /^Basic realm="/, name);
    assert.deepEqual(await errorOf(response), refused, name);
  }
});

test('[CA-07] typ may be absent, JWT or its own type, in any spelling of the media type', async () => {
  const key = signer();
  const { post } = await withKeys([key.jwk]);

  for (const typ of [undefined, 'JWT', 'jwt', 'client-authentication+jwt', 'application/client-authentication+jwt'])
    assert.equal((await post('/token', { ...ask, ...asserted(await key.sign(good(), { typ })) })).status, 200, String(typ));
});

test('[CA-06] an assertion is good once: of twenty at the same moment one wins, and a replay fails until it would have ended', async () => {
  const key = signer();
  const scene = await withKeys([key.jwk]);
  const { request, clock } = scene;
  const send = (assertion: string, address: string) =>
    request('/token', {
      method: 'POST',
      body: new URLSearchParams({ ...ask, ...asserted(assertion) }).toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      address,
    });
  const assertion = await key.sign(good());

  const statuses = (await Promise.all(Array.from({ length: 20 }, (_, index) => send(assertion, `192.0.2.${index}`)))).map(({ status }) => status);
  clock.advance(350);
  const late = await send(assertion, '198.51.100.1');

  assert.deepEqual([statuses.filter((status) => status === 200).length, statuses.filter((status) => status === 401).length], [1, 19]);
  assert.equal(late.status, 401);
});

test('[CA-06] the same jti of two clients is two ids, and a refused assertion does not use its id up', async () => {
  const key = signer();
  const scene = await withKeys([key.jwk]);
  await addKeyed(scene, { jwks: { keys: [key.jwk] } }, 'second');
  const { post } = scene;
  const jti = 'shared';

  const refusedFirst = await post('/token', { ...ask, ...asserted(await key.sign({ ...good(), jti, aud: 'https://other.example.com' })) });
  const first = await post('/token', { ...ask, ...asserted(await key.sign({ ...good(), jti })) });
  const second = await post('/token', { ...ask, ...asserted(await key.sign({ ...good('second'), jti })) });

  assert.deepEqual([refusedFirst.status, first.status, second.status], [401, 200, 200]);
});

test('[CA-05] [CA-06] who is registered for a key has no other way in, and who is not has no way in by key', async () => {
  const key = signer();
  const scene = await stage();
  // A secret hash beside the key: even then the key is the only way.
  await scene.addClient({ id: 'keyed', secret: 'cs_secret', metadata: { ...machine, tokenEndpointAuthMethod: 'private_key_jwt', jwks: { keys: [key.jwk] } } });
  await scene.addClient({ id: 'secret', secret: 'cs_secret', metadata: { ...machine, jwks: { keys: [key.jwk] } } });
  await scene.addClient({ id: 'public', metadata: { ...machine, jwks: { keys: [key.jwk] } } });
  const { post } = scene;

  for (const [values, headers] of [
    [{ ...ask, client_id: 'keyed' }, {}],
    [{ ...ask, client_id: 'keyed', client_secret: 'cs_secret' }, {}],
    [ask, basic('keyed', 'cs_secret')],
    [{ ...ask, ...asserted(await key.sign(good('secret'))) }, {}],
    [{ ...ask, ...asserted(await key.sign(good('public'))) }, {}],
    [{ ...ask, ...asserted(await key.sign(good('nobody'))) }, {}],
  ] as const)
    assert.deepEqual(await errorOf(await post('/token', values, headers)), refused);
});

test('[CA-04] [CA-06] half an assertion, another type and another client_id are refused before anything is verified', async () => {
  const key = signer();
  const { post } = await withKeys([key.jwk]);
  const assertion = await key.sign(good());

  assert.deepEqual(await errorOf(await post('/token', { ...ask, client_id: 'machine', client_assertion: assertion })), refused);
  assert.deepEqual(await errorOf(await post('/token', { ...ask, client_id: 'machine', client_assertion_type: type })), refused);
  const saml = { client_assertion: assertion, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' };
  assert.deepEqual(await errorOf(await post('/token', { ...ask, ...saml })), refused);
  const other = await errorOf(await post('/token', { ...ask, client_id: 'other', ...asserted(assertion) }));
  assert.deepEqual([other.status, other.error], [400, 'invalid_request']);
  assert.equal((await post('/token', { ...ask, ...asserted(assertion) })).status, 200);
});

test('[CA-08] [PAR-01] pushed requests take the same assertion with the same audience', async () => {
  const key = signer();
  const { post, addClient } = await stage();
  await addClient({ id: 'web', metadata: { tokenEndpointAuthMethod: 'private_key_jwt', jwks: { keys: [key.jwk] } } });
  const request = {
    response_type: 'code',
    redirect_uri: 'http://localhost/callback',
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
    resource: 'https://mcp.example.com/mcp',
  };

  const elsewhere = await post('/par', { ...request, ...asserted(await key.sign({ ...good('web'), aud: `${issuer}/par` })) });
  const pushed = await post('/par', { ...request, client_id: 'web', ...asserted(await key.sign(good('web'))) });

  assert.deepEqual(await errorOf(elsewhere), refused);
  assert.equal(pushed.status, 201);
});

test('[CA-08] revocation and introspection take the same assertion with the same audience', async () => {
  const key = signer();
  const { post } = await withKeys([key.jwk]);
  const { access_token: token } = (await (await post('/token', { ...ask, ...asserted(await key.sign(good())) })).json()) as { access_token: string };

  for (const path of ['/introspect', '/revoke']) {
    const elsewhere = await post(path, { token, ...asserted(await key.sign({ ...good(), aud: issuer + path })) });
    assert.deepEqual(await errorOf(elsewhere), refused, path);
  }
  const seen = await post('/introspect', { token, ...asserted(await key.sign(good())) });
  assert.equal(((await seen.json()) as { active: boolean }).active, true);
  assert.equal((await post('/revoke', { token, ...asserted(await key.sign(good())) })).status, 200);
  const gone = await post('/introspect', { token, ...asserted(await key.sign(good())) });
  assert.deepEqual(await gone.json(), { active: false });
});

test('[CA-11] guessing with assertions is slowed down like guessing secrets, for this client from this address', async () => {
  const key = signer();
  const stranger = signer();
  const { post } = await withKeys([key.jwk]);

  const statuses: number[] = [];
  for (let guess = 0; guess < 4; guess++) statuses.push((await post('/token', { ...ask, ...asserted(await stranger.sign(good())) })).status);
  const right = await post('/token', { ...ask, ...asserted(await key.sign(good())) });

  assert.deepEqual(statuses, [401, 401, 401, 429]);
  assert.equal(right.status, 429);
});

test('[CA-06] EdDSA and Ed25519 are two names of one algorithm, for keys and for registrations', async () => {
  const key = signer('ed', 'EdDSA');
  const scene = await stage();
  await addKeyed(scene, { jwks: { keys: [key.jwk] }, tokenEndpointAuthSigningAlg: 'Ed25519' });

  for (const alg of ['EdDSA', 'Ed25519']) assert.equal((await scene.post('/token', { ...ask, ...asserted(await key.sign(good(), { alg })) })).status, 200, alg);
});

test('[CA-06] token_endpoint_auth_signing_alg narrows a client to one algorithm', async () => {
  const key = signer('rsa', 'RS256');
  const { alg: _, ...jwk } = key.jwk;
  const scene = await stage();
  await addKeyed(scene, { jwks: { keys: [jwk] }, tokenEndpointAuthSigningAlg: 'PS256' });

  assert.equal((await scene.post('/token', { ...ask, ...asserted(await key.sign(good(), { alg: 'PS256' })) })).status, 200);
  assert.equal((await scene.post('/token', { ...ask, ...asserted(await key.sign(good(), { alg: 'RS256' })) })).status, 401);
});

test('[CA-10] a jwks_uri is asked when first needed, kept while fresh, and asked again for an unknown key at most once a minute', async () => {
  const old = signer('old');
  const next = signer('next');
  const stranger = signer('stranger');
  const host = keyHost([old.jwk]);
  host.headers['cache-control'] = 'max-age=3600';
  const scene = await stage({ fetchDocument: host.fetchDocument });
  await addKeyed(scene, { jwksUri });
  const send = async (key: Signer) => (await scene.post('/token', { ...ask, ...asserted(await key.sign(good('machine', scene.clock.now()))) })).status;

  assert.deepEqual([await send(old), await send(old), host.asked.length], [200, 200, 1]);
  assert.deepEqual(host.limits, { maxBytes: 65536 });
  host.keys = [old.jwk, next.jwk];
  assert.equal(await send(next), 401);
  scene.clock.advance(60);
  // The client has two keys and both are good: nothing stops while it changes them.
  assert.deepEqual([await send(next), await send(old), host.asked.length], [200, 200, 2]);
  host.keys = [next.jwk];
  scene.clock.advance(3601);
  assert.deepEqual([await send(next), host.asked.length], [200, 3]);
  assert.deepEqual([await send(old), host.asked.length], [401, 3]);
  for (let tried = 0; tried < 3; tried++) await send(stranger);
  assert.equal(host.asked.length, 3);
});

test('[CA-10] fifty requests at once ask the address once', async () => {
  const key = signer();
  const host = keyHost([key.jwk]);
  const scene = await stage({ fetchDocument: host.fetchDocument });
  await addKeyed(scene, { jwksUri });
  const assertions = await Promise.all(Array.from({ length: 50 }, () => key.sign(good())));

  const statuses = await Promise.all(assertions.map(async (assertion) => (await scene.post('/token', { ...ask, ...asserted(assertion) })).status));

  assert.deepEqual([new Set(statuses), host.asked.length], [new Set([200]), 1]);
});

test('[CA-10] no more than fifty requests wait for one slow address of keys, and the others are told to come back', async () => {
  const key = signer();
  const slow = Promise.withResolvers<never>();
  slow.promise.catch(() => undefined);
  const scene = await stage({ fetchDocument: () => slow.promise });
  await addKeyed(scene, { jwksUri });
  const assertions = await Promise.all(Array.from({ length: 53 }, () => key.sign(good())));

  const sent = assertions.map((assertion) => scene.post('/token', { ...ask, ...asserted(assertion) }));
  const answered = await Promise.race(sent);
  assert.deepEqual([answered.status, answered.headers.get('retry-after')], [503, '5']);
  slow.reject(new FetchFailure('timeout', 'at last'));

  const statuses = (await Promise.all(sent)).map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 503).length, 3);
  assert.ok(!statuses.includes(200));
});

test('[CA-10] the last good keys stand in for a silent host for a day, never for one that says 404, and a dead address is asked once a minute', async () => {
  const key = signer();
  const host = keyHost([key.jwk]);
  host.headers['cache-control'] = 'max-age=60';
  const scene = await stage({ fetchDocument: host.fetchDocument });
  await addKeyed(scene, { jwksUri });
  const send = async () => (await scene.post('/token', { ...ask, ...asserted(await key.sign(good('machine', scene.clock.now()))) })).status;

  assert.equal(await send(), 200);
  host.fails = new FetchFailure('timeout', 'slow');
  scene.clock.advance(3600);
  assert.deepEqual([await send(), await send(), host.asked.length], [200, 200, 2]);
  scene.clock.advance(86_400);
  assert.deepEqual([await send(), await send(), host.asked.length], [401, 401, 3]);
  host.fails = undefined;
  scene.clock.advance(60);
  assert.equal(await send(), 200);
  host.fails = new FetchFailure('status', 'gone', { status: 404 });
  scene.clock.advance(3600);
  assert.equal(await send(), 401);
});

test('[CA-10] an answer that is no key set is an outage, for which the last good keys stand in; one with a byte order mark, or with no keys, is an answer', async () => {
  const key = signer();
  const host = keyHost([key.jwk]);
  host.headers['cache-control'] = 'max-age=60';
  const scene = await stage({ fetchDocument: host.fetchDocument });
  await addKeyed(scene, { jwksUri });
  const send = async (text?: string) => {
    host.text = text;
    scene.clock.advance(3600);
    return (await scene.post('/token', { ...ask, ...asserted(await key.sign(good('machine', scene.clock.now()))) })).status;
  };
  const set = JSON.stringify({ keys: [key.jwk] });

  assert.equal(await send(), 200);
  for (const text of ['<html>Under maintenance</html>', set.slice(0, -2), '', '[]', 'null', '{}', '{"keys":{}}']) assert.equal(await send(text), 200, text);
  assert.ok(scene.logged.some((line) => line.startsWith('warn keys.unavailable') && line.includes('no key set')));
  assert.equal(await send(`\uFEFF${set}`), 200);
  assert.equal(await send('{"keys":[]}'), 401);
});

test('[CA-10] addresses of strangers that were never good are counted: registering many does not make us hammer a host, nor keep us from the keys an operator chose there', async () => {
  const key = signer();
  const host = keyHost([]);
  const scene = await stage({ fetchDocument: host.fetchDocument });
  const statuses: number[] = [];
  for (let index = 0; index < 32; index++) {
    await addKeyed(scene, { jwksUri: `https://victim.example/${index}` }, `client-${index}`, 'dynamic');
    statuses.push((await scene.post('/token', { ...ask, ...asserted(await key.sign(good(`client-${index}`))) })).status);
  }

  assert.deepEqual([host.asked.length, statuses.slice(0, 30).every((status) => status === 401), statuses.slice(30)], [30, true, [429, 429]]);

  // Also at an address that a stranger named before, where nothing was then.
  host.keys = [key.jwk];
  await addKeyed(scene, { jwksUri: 'https://victim.example/0' }, 'ours');
  assert.equal((await scene.post('/token', { ...ask, ...asserted(await key.sign(good('ours'))) })).status, 200);
});

test('[CA-10] what is no key set, or holds private and symmetric keys, verifies nothing', async () => {
  const key = signer();
  for (const keys of [[{ ...key.jwk, d: 'private' }], [{ kty: 'oct', k: 'x', kid: 'key-1' }], [7, null, 'x'], []] as Jwk[][]) {
    const host = keyHost(keys);
    const scene = await stage({ fetchDocument: host.fetchDocument });
    await addKeyed(scene, { jwksUri });

    assert.equal((await scene.post('/token', { ...ask, ...asserted(await key.sign(good())) })).status, 401);
  }
});

test('[CA-06] [CIMD-10] a metadata document that authenticates with a key redeems its code with an assertion and with nothing else', async () => {
  const url = 'https://app.example/client.json';
  const key = signer('key-1', 'RS256');
  const host = keyHost([key.jwk]);
  const scene = await stage({ fetchDocument: host.fetchDocument });
  const metadata: Client['metadata'] = {
    clientName: 'An app',
    redirectUris: ['http://localhost/callback'],
    grantTypes: ['authorization_code', 'refresh_token'],
    responseTypes: ['code'],
    tokenEndpointAuthMethod: 'private_key_jwt',
    jwksUri,
  };
  await scene.store.saveDocument({ url, metadata, fetchedAt: start, freshUntil: start + 60 });
  const client: Client = { id: url, registration: 'document', metadata, createdAt: start, lastUsedAt: start };
  const { code } = await scene.code({ client });

  assert.deepEqual(await errorOf(await scene.post('/token', redemption(client, code))), refused);
  const redeemed = await scene.post('/token', { ...redemption(client, code), ...asserted(await key.sign(good(url))) });
  assert.equal(redeemed.status, 200);
  const { refresh_token: token } = (await redeemed.json()) as { refresh_token: string };
  const refresh = { grant_type: 'refresh_token', refresh_token: token, client_id: url };
  assert.deepEqual(await errorOf(await scene.post('/token', refresh)), refused);
  assert.equal((await scene.post('/token', { ...refresh, ...asserted(await key.sign(good(url))) })).status, 200);
});

test('[CA-06] [DCR-12] a client that registers its keys itself gets no secret, and authenticates with them', async () => {
  const key = signer();
  const scene = await stage();
  const register = (members: Record<string, unknown>) =>
    scene.request('/register', {
      method: 'POST',
      body: JSON.stringify({ redirect_uris: ['http://localhost/callback'], token_endpoint_auth_method: 'private_key_jwt', ...members }),
      headers: { 'Content-Type': 'application/json' },
    });

  const response = await register({ jwks: { keys: [key.jwk] }, token_endpoint_auth_signing_alg: 'ES256' });
  const registered = (await response.json()) as Record<string, string>;

  assert.equal(response.status, 201);
  assert.deepEqual(
    [registered.token_endpoint_auth_method, registered.token_endpoint_auth_signing_alg, 'client_secret' in registered],
    ['private_key_jwt', 'ES256', false],
  );
  const client = (await scene.store.findClient(registered.client_id ?? '')) as Client;
  const { code } = await scene.code({ client });
  assert.equal((await scene.post('/token', { ...redemption(client, code), ...asserted(await key.sign(good(client.id))) })).status, 200);
  for (const members of [{}, { jwks: { keys: [key.jwk] }, token_endpoint_auth_signing_alg: 'HS256' }, { jwks_uri: 'http://app.example/keys' }])
    assert.equal((await errorOf(await register(members))).error, 'invalid_client_metadata');
});

test('[CA-06] [TOK-05] whatever an assertion is made of, it is refused with 400, 401 or 429, never believed and never a 5xx', async () => {
  const key = signer();
  const stranger = signer();
  const scene = await withKeys([key.jwk]);
  const claimNames = fc.constantFrom('iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti', '__proto__', 'cnf');
  const values = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('machine', issuer, start, start + 300, [issuer], [[issuer]]));
  const claims = fc.array(fc.tuple(claimNames, values), { maxLength: 8 }).map((pairs) => ({ ...good(), ...Object.fromEntries(pairs) }));
  const header = fc.record({
    alg: fc.constantFrom('none', 'ES256', 'RS256', 'HS256', 'EdDSA', '', 'es256'),
    kid: fc.constantFrom('key-1', '', 'x'),
    typ: fc.constantFrom('JWT', 'at+jwt', ''),
    jwk: fc.constantFrom(stranger.jwk, {}),
  });
  const token = fc.oneof(
    fc.tuple(header, claims, fc.boolean()).map(([top, body, signed]) => forged(top, body, signed ? es256(stranger.privateKey) : undefined)),
    fc
      .tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))
      .map((parts) => `${parts.map((part) => Buffer.from(part).toString('base64url')).join('.')}.eA`),
    fc.string({ unit: 'binary', maxLength: 80 }),
  );
  let address = 0;

  await fc.assert(
    fc.asyncProperty(token, async (assertion) => {
      const response = await scene.request('/token', {
        method: 'POST',
        body: new URLSearchParams({ ...ask, ...asserted(assertion) }).toString(),
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        address: `10.0.${address >> 8}.${address++ & 255}`,
      });
      assert.ok([400, 401, 429].includes(response.status), String(response.status));
    }),
    { numRuns: 300 },
  );
});

test('[CA-06] [TOK-05] of signed claims exactly the good ones are accepted', async () => {
  const key = signer();
  const scene = await withKeys([key.jwk]);
  const around = fc.integer({ min: start - 2000, max: start + 2000 });
  let address = 0;

  await fc.assert(
    fc.asyncProperty(around, fc.option(around, { nil: undefined }), fc.constantFrom(issuer, 'https://other.example.com'), async (exp, iat, aud) => {
      const claims = { ...good(), exp, iat, aud };
      const response = await scene.request('/token', {
        method: 'POST',
        body: new URLSearchParams({ ...ask, ...asserted(forged({ alg: 'ES256', kid: key.kid }, claims, es256(key.privateKey))) }).toString(),
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        address: `10.1.${address >> 8}.${address++ & 255}`,
      });
      const isGood = aud === issuer && exp > start - 60 && exp <= start + 660 && (iat === undefined || (iat <= start + 60 && iat >= start - 660));
      assert.equal(response.status, isGood ? 200 : 401);
    }),
    { numRuns: 200 },
  );
});

function hmac(secret: string): (input: string) => Buffer {
  return (input) => createHmac('sha256', secret).update(input).digest();
}

test('[CIMD-16] [CA-06] a key withdrawn from a metadata document is good for no longer than the document is fresh, and a silent host does not change that its last word holds', async () => {
  const url = 'https://app.example/client.json';
  const [leaked, next] = [signer('leaked'), signer('next')];
  let document: () => Record<string, unknown> = () => ({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [leaked.jwk] } });
  let asked = 0;
  const scene = await stage({
    fetchDocument: async () => {
      asked += 1;
      const body = JSON.stringify({ client_id: url, client_name: 'An app', redirect_uris: ['http://localhost/callback'], ...document() });
      return { status: 200, headers: { 'content-type': 'application/json', 'cache-control': 'max-age=600' }, body: new TextEncoder().encode(body) };
    },
  });
  await findClient(url, scene.context, '203.0.113.7');
  /** 400 invalid_grant: the client is who it says, only its code is not. */
  const send = async (key: Signer) => {
    const code = { grant_type: 'authorization_code', code: 'ac_x', code_verifier: 'x'.repeat(43) };
    return (await scene.post('/token', { ...code, ...asserted(await key.sign(good(url, scene.clock.now()))) })).status;
  };

  assert.deepEqual([await send(leaked), asked], [400, 1]);
  document = () => ({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [next.jwk] } });
  scene.clock.advance(600);
  assert.deepEqual([await send(leaked), await send(next), asked], [401, 400, 2]);
  document = () => {
    throw new FetchFailure('timeout', 'slow');
  };
  scene.clock.advance(6 * 86_400);
  assert.deepEqual([await send(next), await send(next), asked], [400, 400, 3]);
  scene.clock.advance(2 * 86_400);
  assert.equal(await send(next), 401);
  document = () => ({});
  scene.clock.advance(600);
  assert.equal(await send(next), 401);
});
