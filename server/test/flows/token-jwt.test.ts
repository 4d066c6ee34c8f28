import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { issuer } from '../harness.ts';
import { errorOf, redemption, type Stage, stage } from './token-stage.ts';

async function keysOf({ request }: Stage): Promise<ReturnType<typeof createLocalJWKSet>> {
  return createLocalJWKSet((await (await request('/.well-known/jwks.json')).json()) as JSONWebKeySet);
}

test('[JWT-01] [JWT-02] an independent library verifies the access token with the published keys and finds the claims of RFC 9068', async () => {
  const scene = await stage();
  const { access_token } = await scene.tokens();

  const { payload, protectedHeader } = await jwtVerify(access_token, await keysOf(scene), {
    issuer,
    audience: scene.mcp.resource,
    typ: 'at+jwt',
    algorithms: ['ES256'],
    currentDate: new Date(scene.clock.now() * 1000),
  });

  assert.deepEqual(Object.keys(protectedHeader).sort(), ['alg', 'kid', 'typ']);
  assert.deepEqual(Object.keys(payload).sort(), ['aud', 'auth_time', 'client_id', 'exp', 'grant_id', 'iat', 'iss', 'jti', 'scope', 'sub']);
  assert.equal(payload.sub, scene.user.id);
  assert.equal(payload.client_id, scene.client.id);
  assert.equal(payload.scope, 'files:read files:write');
  assert.equal(payload.exp, scene.clock.now() + 3600);
  assert.equal(payload.auth_time, scene.clock.now() - 120);
});

for (const signingAlgorithm of ['ES256', 'RS256', 'EdDSA'] as const)
  test(`[KEY-07] [D19] access tokens may be signed with ${signingAlgorithm}, and an RS256 key is always published`, async () => {
    const scene = await stage({ signingAlgorithm });
    const { access_token } = await scene.tokens();

    await jwtVerify(access_token, await keysOf(scene), { algorithms: [signingAlgorithm], currentDate: new Date(scene.clock.now() * 1000) });

    assert.equal(decodeProtectedHeader(access_token).alg, signingAlgorithm);
    const { keys } = (await (await scene.request('/.well-known/jwks.json')).json()) as JSONWebKeySet;
    assert.ok(keys.some(({ alg }) => alg === 'RS256'));
    assert.equal((await scene.introspect(access_token)).active, true);
  });

test('[JWT-03] the audience is one string: the canonical resource, and the issuer only for its own API', async () => {
  const scene = await stage();

  assert.equal(decodeJwt((await scene.tokens()).access_token).aud, 'https://mcp.example.com/mcp');
  assert.equal(decodeJwt((await scene.tokens({ resource: issuer, scope: ['openid'] })).access_token).aud, issuer);
});

test('[JWT-04] [PRM-12] a token is for one resource, so that its scopes mean one thing: another server of the same host sees nothing of it', async () => {
  const scene = await stage();
  const neighbour = await scene.addServer({ resource: 'https://mcp.example.com/other' });
  const { access_token } = await scene.tokens();
  const { secret } = await scene.keyOf(neighbour);

  const response = await scene.post('/introspect', { token: access_token }, { Authorization: `Bearer ${secret}` });

  assert.equal(await response.text(), '{"active":false}');
});

test('[JWT-05] neither token says anything about the person beyond the subject', async () => {
  const scene = await stage();
  const { access_token, id_token = '' } = await scene.tokens({ scope: ['openid', 'profile', 'email', 'files:read'] });

  for (const value of [access_token, id_token]) assert.doesNotMatch(JSON.stringify(decodeJwt(value)), /ada|Lovelace|example\.com"?,"email|@/i);
});

test('[JWT-08] jti has 128 random bits and a token that would not fit into a header is not issued', async () => {
  const scene = await stage();
  const [first, second] = [decodeJwt((await scene.tokens()).access_token), decodeJwt((await scene.tokens()).access_token)];
  const { code } = await scene.code({ scope: Array.from({ length: 60 }, (_, index) => `scope-${index}-${'x'.repeat(60)}`) });

  assert.match(String(first.jti), /^[A-Za-z0-9_-]{22}$/);
  assert.notEqual(first.jti, second.jti);
  assert.equal((await errorOf(await scene.post('/token', redemption(scene.client, code)))).error, 'invalid_scope');
});

test('[IDT-01] [IDT-03] with openid an ID token comes along, for this client, RS256, with nonce, auth_time and the hash of its access token', async () => {
  const scene = await stage();
  const { access_token, id_token = '' } = await scene.tokens({ scope: ['openid', 'files:read'], nonce: 'n-0S6_WzA2Mj' });

  const { payload } = await jwtVerify(id_token, await keysOf(scene), {
    issuer,
    audience: scene.client.id,
    algorithms: ['RS256'],
    typ: 'JWT',
    currentDate: new Date(scene.clock.now() * 1000),
  });

  assert.equal(payload.nonce, 'n-0S6_WzA2Mj');
  assert.equal(payload.sub, scene.user.id);
  assert.equal(payload.auth_time, scene.clock.now() - 120);
  assert.equal(payload.at_hash, createHash('sha256').update(access_token).digest().subarray(0, 16).toString('base64url'));
});

test('[IDT-01] without openid there is no ID token, and without nonce none in it', async () => {
  const scene = await stage();

  assert.equal('id_token' in (await scene.tokens()), false);
  assert.equal('nonce' in decodeJwt((await scene.tokens({ scope: ['openid'] })).id_token ?? ''), false);
});

test('[IDT-02] an ID token is no access token: not at introspection, not at userinfo, not at revocation', async () => {
  const scene = await stage();
  const { id_token = '' } = await scene.tokens({ scope: ['openid'] });

  assert.deepEqual(await scene.introspect(id_token), { active: false });
  assert.equal((await scene.request('/userinfo', { headers: { Authorization: `Bearer ${id_token}` } })).status, 401);
  assert.equal((await errorOf(await scene.post('/revoke', { token: id_token, client_id: scene.client.id }))).error, 'unsupported_token_type');
});
