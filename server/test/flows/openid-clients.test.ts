/**
 * What a client may register about its ID tokens, userinfo and subjects (OIDC Registration §2, Core §8), and that the answers keep to it.
 */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { subjectFor } from '../../src/clients/sector.ts';
import type { ServerOptions } from '../../src/options.ts';
import { deviceCodeGrant } from '../../src/rules/device-grant.ts';
import type { Client, ClientMetadata } from '../../src/storage/store.ts';
import { issuer } from '../harness.ts';
import { bearer, type Json, redemption, type Stage, stage, type Tokens } from './token-stage.ts';

const openid = ['openid', 'profile', 'email'];

async function tokensOf(scene: Stage, client: Client): Promise<Tokens & { id_token: string }> {
  const { code } = await scene.code({ client, scope: openid, resource: issuer, nonce: 'n' });
  return (await (await scene.post('/token', redemption(client, code))).json()) as Tokens & { id_token: string };
}
const clientWith = (scene: Stage, metadata: Partial<ClientMetadata>) => scene.addClient({ metadata });
const userinfo = (scene: Stage, token: string) => scene.request('/userinfo', { headers: bearer(token) });
const register = async (scene: Stage, more: Json) => {
  const body = JSON.stringify({ redirect_uris: ['https://app.example.org/cb'], token_endpoint_auth_method: 'none', ...more });
  const response = await scene.request('/register', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  return { status: response.status, body: (await response.json()) as Json };
};

test('[IDT-01] the ID token has the algorithm the client registered where there is a key for it, else RS256, and at_hash fits it', async () => {
  const cases: [Partial<ServerOptions>, ClientMetadata['idTokenSignedResponseAlg'], string][] = [
    [{}, undefined, 'RS256'],
    [{}, 'ES256', 'ES256'],
    [{}, 'EdDSA', 'RS256'],
    [{ signingAlgorithm: 'EdDSA' }, 'EdDSA', 'EdDSA'],
    [{ signingAlgorithm: 'RS256' }, 'ES256', 'RS256'],
  ];
  for (const [options, asked, alg] of cases) {
    const scene = await stage(options);
    const { id_token, access_token } = await tokensOf(scene, await clientWith(scene, { idTokenSignedResponseAlg: asked }));
    const keys = createLocalJWKSet((await (await scene.request('/.well-known/jwks.json')).json()) as JSONWebKeySet);
    const { payload, protectedHeader } = await jwtVerify(id_token, keys, { issuer, currentDate: new Date(scene.clock.now() * 1000) });

    assert.deepEqual([protectedHeader.alg, protectedHeader.typ], [alg, 'JWT']);
    const digest = createHash(alg === 'EdDSA' ? 'sha512' : 'sha256')
      .update(access_token)
      .digest();
    assert.equal(payload.at_hash, digest.subarray(0, digest.length / 2).toString('base64url'));
    await scene.close();
  }
});

test('[UI-01] [UI-02] userinfo is a signed JWT for the client that registered for it, with the subject of its ID token', async () => {
  const scene = await stage();
  const { id_token, access_token } = await tokensOf(scene, await clientWith(scene, { userinfoSignedResponseAlg: 'ES256' }));
  const response = await userinfo(scene, access_token);
  const token = await response.text();
  const keys = createLocalJWKSet((await (await scene.request('/.well-known/jwks.json')).json()) as JSONWebKeySet);
  const { payload } = await jwtVerify(token, keys, { issuer, audience: String(decodeJwt(id_token).aud), algorithms: ['ES256'] });

  assert.equal(response.headers.get('content-type'), 'application/jwt');
  assert.deepEqual([payload.sub, payload.email], [decodeJwt(id_token).sub, 'ada@example.com']);
  // It is no ID token, and no access token either.
  assert.equal('exp' in payload, false);
  assert.equal((await userinfo(scene, token)).status, 401);
});

test('[IDT-01] [UI-02] a pairwise client has a subject of its own sector, stable, the same in both places, and the access token keeps the account', async () => {
  const scene = await stage();
  const at = (host: string): Partial<ClientMetadata> => ({ subjectType: 'pairwise', redirectUris: [`https://${host}/cb`] });
  const subjects = async (client: Client) => {
    const { id_token, access_token } = await tokensOf(scene, client);
    const info = (await (await userinfo(scene, access_token)).json()) as Json;
    assert.equal(info.sub, decodeJwt(id_token).sub);
    assert.equal(decodeJwt(access_token).sub, scene.user.id);
    return String(info.sub);
  };
  const one = await clientWith(scene, at('one.example'));
  const sector = { ...at('three.example'), sectorIdentifierUri: 'https://one.example/sector.json' };
  const native: Partial<ClientMetadata> = { subjectType: 'pairwise', redirectUris: ['http://localhost/callback'] };
  const first = await subjects(one);

  assert.match(first, /^pw_[A-Za-z0-9_-]{43}$/);
  assert.equal(await subjects(one), first);
  assert.equal(await subjects(await clientWith(scene, at('one.example'))), first);
  assert.equal(await subjects(await clientWith(scene, sector)), first);
  assert.notEqual(await subjects(await clientWith(scene, at('two.example'))), first);
  assert.notEqual(await subjects(await clientWith(scene, native)), await subjects(await clientWith(scene, native)));
  assert.equal(await subjects(await clientWith(scene, {})), scene.user.id);
});

test('[IDT-01] whoever gets answers elsewhere than on the hosts of a sector is a sector alone, whatever it names', async () => {
  const scene = await stage();
  const sectorIdentifierUri = 'https://one.example/sector.json';
  const [web, loopback] = ['https://one.example/cb', 'http://127.0.0.1/cb'];
  const pairwise = (metadata: Partial<ClientMetadata>): Client => ({
    id: randomUUID(),
    registration: 'dynamic',
    metadata: {
      redirectUris: [web],
      grantTypes: ['authorization_code'],
      responseTypes: ['code'],
      tokenEndpointAuthMethod: 'none',
      subjectType: 'pairwise',
      ...metadata,
    },
    createdAt: 0,
    lastUsedAt: 0,
  });
  const subject = (metadata: Partial<ClientMetadata>) => subjectFor(pairwise(metadata), scene.user.id, scene.context);
  const ofSector = subject({});

  assert.equal(subject({ sectorIdentifierUri }), ofSector);
  for (const alone of [
    { redirectUris: [web, loopback] },
    { redirectUris: [web, 'com.example.app:/cb'] },
    { redirectUris: [web, loopback], sectorIdentifierUri },
    { redirectUris: [], sectorIdentifierUri },
    { grantTypes: ['authorization_code', deviceCodeGrant] },
    { grantTypes: ['authorization_code', deviceCodeGrant], sectorIdentifierUri },
  ]) {
    const own = subject(alone);
    assert.notEqual(own, ofSector, JSON.stringify(alone));
    assert.notEqual(own, subject(alone), JSON.stringify(alone));
  }
});

test('[DCR-02] [DCR-04] a registration is told what it gets: algorithms that are offered, subject type, addresses after sign-out', async () => {
  const scene = await stage();
  const asked = {
    id_token_signed_response_alg: 'EdDSA',
    userinfo_signed_response_alg: 'ES256',
    subject_type: 'pairwise',
    post_logout_redirect_uris: ['https://app.example.org/bye', 'http://localhost/bye', 'oddscheme://bye'],
  };
  const { status, body } = await register(scene, asked);

  assert.equal(status, 201);
  assert.deepEqual(
    [body.id_token_signed_response_alg, body.userinfo_signed_response_alg, body.subject_type, body.post_logout_redirect_uris],
    ['RS256', 'ES256', 'pairwise', ['https://app.example.org/bye', 'http://localhost/bye']],
  );
  const lenient = await register(scene, { id_token_signed_response_alg: 'none', userinfo_signed_response_alg: 'HS256', subject_type: 'odd' });
  assert.equal(lenient.status, 201);
  for (const name of ['id_token_signed_response_alg', 'userinfo_signed_response_alg', 'subject_type']) assert.equal(name in lenient.body, false);
});

test('[DCR-05] what would break a promise is refused: dangerous addresses, sectors without proof', async () => {
  const listed = ['https://app.example.org/cb', 'https://other.example.org/cb'];
  const documents: Record<string, string> = { 'https://sector.example/ok.json': JSON.stringify(listed), 'https://sector.example/object.json': '{}' };
  const fetchDocument: ServerOptions['fetchDocument'] = async (url) => {
    const text = documents[url];
    if (text === undefined) throw new Error('nobody is there');
    return { status: 200, headers: {}, body: new TextEncoder().encode(text) };
  };
  const scene = await stage({ fetchDocument });
  const pairwise = { subject_type: 'pairwise', redirect_uris: listed };

  for (const wrong of [
    { post_logout_redirect_uris: ['javascript:alert(1)'] },
    { post_logout_redirect_uris: 'https://app.example.org/bye' },
    { sector_identifier_uri: 'http://sector.example/ok.json' },
    { subject_type: 'pairwise', redirect_uris: undefined, grant_types: [deviceCodeGrant], sector_identifier_uri: 'https://sector.example/ok.json' },
    pairwise,
    { ...pairwise, sector_identifier_uri: 'https://sector.example/missing.json' },
    { ...pairwise, sector_identifier_uri: 'https://sector.example/object.json' },
    { ...pairwise, redirect_uris: [...listed, 'https://third.example.org/cb'], sector_identifier_uri: 'https://sector.example/ok.json' },
  ]) {
    const { status, body } = await register(scene, wrong);
    assert.deepEqual([status, body.error], [400, 'invalid_client_metadata'], JSON.stringify(wrong));
  }
  const joined = await register(scene, { ...pairwise, sector_identifier_uri: 'https://sector.example/ok.json' });
  assert.deepEqual([joined.status, joined.body.sector_identifier_uri], [201, 'https://sector.example/ok.json']);
});

test('[DCR-05] the document of a sector is fetched from no host more often than its limit, whoever registers', async () => {
  let asked = 0;
  const fetchDocument: ServerOptions['fetchDocument'] = async () => {
    asked += 1;
    return { status: 200, headers: {}, body: new TextEncoder().encode('["https://app.example.org/cb"]') };
  };
  const scene = await stage({ fetchDocument, limits: ['sector.host=2/1m', 'sector=3/1m'] });
  const at = async (uri: string) => (await register(scene, { subject_type: 'pairwise', sector_identifier_uri: uri })).status;

  // Without the port: one host has 65535 of those.
  assert.deepEqual([await at('https://a.example/1'), await at('https://a.example:444/2'), await at('https://a.example/3')], [201, 201, 429]);
  assert.deepEqual([await at('https://b.example/1'), await at('https://c.example/1')], [201, 429]);
  assert.equal(asked, 3);
});

test('[INT-08] an introspection answer is signed on demand: for this caller, of its own type, and worthless as a token', async () => {
  const scene = await stage();
  const { access_token } = await scene.tokens();
  const { secret } = await scene.keyOf();
  const ask = (token: string) => scene.post('/introspect', { token }, { ...bearer(secret), Accept: 'application/token-introspection+jwt' });
  const response = await ask(access_token);
  const signed = await response.text();
  const keys = createLocalJWKSet((await (await scene.request('/.well-known/jwks.json')).json()) as JSONWebKeySet);
  const { payload } = await jwtVerify(signed, keys, { issuer, audience: scene.mcp.resource, typ: 'token-introspection+jwt', algorithms: ['RS256'] });

  assert.equal(response.headers.get('content-type'), 'application/token-introspection+jwt');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.deepEqual(Object.keys(payload).sort(), ['aud', 'iat', 'iss', 'token_introspection']);
  assert.deepEqual(payload.token_introspection, await scene.introspect(access_token));
  assert.deepEqual(decodeJwt(await (await ask('nonsense')).text()).token_introspection, { active: false });
  assert.deepEqual(await scene.introspect(signed), { active: false });
  assert.equal(decodeProtectedHeader(signed).typ, 'token-introspection+jwt');
  assert.equal((await scene.post('/introspect', { token: access_token }, { Accept: 'application/token-introspection+jwt' })).status, 401);
});
