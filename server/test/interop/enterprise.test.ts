/**
 * Two of our servers over HTTP, one as the company and one in front of an MCP server, and the official provider for cross-app access between them: from the sign-in
 * at the company to a tool call that nobody was asked for.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Client, CrossAppAccessProvider, discoverAndRequestJwtAuthGrant, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import * as openid from 'openid-client';
import { auditEvent } from '../../src/audit/event.ts';
import { decodeJwt } from '../../src/crypto/jwt.ts';
import type { DocumentFetcher } from '../../src/options.ts';
import type { ClientMetadata } from '../../src/storage/store.ts';
import { openStand, type Registered, type Stand } from './stand.ts';

const redirectUri = 'http://localhost:4711/callback';
const exchangeType = 'urn:ietf:params:oauth:grant-type:token-exchange';
const bearerType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const idJag = 'urn:ietf:params:oauth:token-type:id-jag';
const idToken = 'urn:ietf:params:oauth:token-type:id_token';

/** The guarded fetcher takes https only; between two servers of a test there is none. */
const fetchDocument: DocumentFetcher = async (url) => {
  const response = await fetch(url);
  return { status: response.status, headers: Object.fromEntries(response.headers), body: new Uint8Array(await response.arrayBuffer()) };
};

type World = { company: Stand; shop: Stand; files: Registered };

/** The agent is `sso-agent` at the company and `shop-agent` at the shop; Ada has an account at both. */
async function open(t: TestContext): Promise<World> {
  const company = await openStand(t);
  const shop = await openStand(t, { fetchDocument });
  const files = await shop.files();
  const confidential = (grantTypes: string[]): Partial<ClientMetadata> => ({
    grantTypes,
    redirectUris: [redirectUri],
    tokenEndpointAuthMethod: 'client_secret_basic',
  });
  await company.addClient({
    id: 'sso-agent',
    secret: 'cs_sso',
    metadata: { ...confidential(['authorization_code', 'refresh_token', exchangeType]), userinfoSignedResponseAlg: 'ES256' },
  });
  await shop.addClient({ id: 'shop-agent', secret: 'cs_shop', metadata: confidential([bearerType]) });
  const target = { clientId: 'sso-agent', audience: shop.issuer, resource: files.row.resource, clientIdThere: 'shop-agent', scope: ['files:read'] };
  await company.store.addAssertionTarget(target, auditEvent('assertion_target.added', company.clock.now(), 'test'));
  const trusted = { issuer: company.issuer, kind: 'identity' as const, provisioning: 'linked' as const, once: true, createdAt: shop.clock.now() };
  await shop.store.addIssuer(trusted, auditEvent('issuer.trusted', shop.clock.now(), 'test'));
  const subject = (await company.store.findUserByLogin('ada'))?.user.id ?? '';
  const userId = (await shop.store.findUserByLogin('ada'))?.user.id ?? '';
  await shop.store.linkIdentity({ issuer: company.issuer, subject, userId }, auditEvent('identity.linked', shop.clock.now(), 'test'));
  return { company, shop, files };
}

async function signInAtCompany({ company }: World, scope = 'openid'): Promise<openid.TokenEndpointResponse> {
  const execute = [openid.allowInsecureRequests];
  const config = await openid.discovery(new URL(company.issuer), 'sso-agent', undefined, openid.ClientSecretBasic('cs_sso'), { execute });
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const expectedState = openid.randomState();
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  });
  return openid.authorizationCodeGrant(config, await company.allow(url), { pkceCodeVerifier, expectedState });
}

function exchange({ company }: World, values: Record<string, string>, credentials = 'sso-agent:cs_sso'): Promise<Response> {
  return fetch(`${company.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: exchangeType, requested_token_type: idJag, subject_token_type: idToken, ...values }),
    headers: { Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
  });
}

test('[JAG-01] [JAG-11] the official CrossAppAccessProvider signs in at one of our servers and works at an MCP server of the other', async (t) => {
  const world = await open(t);
  const { company, shop, files } = world;
  const { id_token: signedIn = '' } = await signInAtCompany(world);
  const authProvider = new CrossAppAccessProvider({
    clientId: 'shop-agent',
    clientSecret: 'cs_shop',
    expectedIssuer: shop.issuer,
    assertion: async ({ authorizationServerUrl, resourceUrl, scope, fetchFn }) => {
      const granted = await discoverAndRequestJwtAuthGrant({
        idpUrl: company.issuer,
        audience: authorizationServerUrl,
        resource: resourceUrl,
        idToken: signedIn,
        clientId: 'sso-agent',
        clientSecret: 'cs_sso',
        scope,
        fetchFn,
      });
      return granted.jwtAuthGrant;
    },
  });

  const client = new Client({ name: 'interop', version: '0.1.0' });
  await client.connect(new StreamableHTTPClientTransport(files.url, { authProvider }));
  const { tools } = await client.listTools();
  await client.close();

  assert.ok(tools.some(({ name }) => name === 'list_files'));
  const ada = (await shop.store.findUserByLogin('ada'))?.user.id ?? '';
  const [grant] = await shop.store.listAgents(ada, shop.clock.now());
  assert.deepEqual([grant?.clientId, grant?.resource, grant?.scope], ['shop-agent', files.row.resource, ['files:read']]);
});

test('[JAG-11] [TEX-04] what is issued is typed, short, for one server, resource and client there, and says no more about the person than their id', async (t) => {
  const world = await open(t);
  const { company, shop, files } = world;
  const { id_token: signedIn = '', refresh_token: refresh = '' } = await signInAtCompany(world);
  const ada = (await company.store.findUserByLogin('ada'))?.user.id;

  const asked: Record<string, string>[] = [
    { subject_token: signedIn, audience: shop.issuer, resource: files.row.resource },
    { subject_token: signedIn, audience: `${shop.issuer}/` },
    { subject_token: refresh, subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token', audience: shop.issuer, scope: 'files:read files:delete' },
  ];
  for (const values of asked) {
    const response = await exchange(world, values);
    const body = (await response.json()) as Record<string, string>;
    const jwt = decodeJwt(body.access_token ?? '');
    assert.deepEqual([response.status, body.issued_token_type, body.token_type, body.expires_in, body.scope], [200, idJag, 'N_A', 300, 'files:read']);
    assert.equal('refresh_token' in body, false);
    const { jti: _jti, iat = 0, exp, auth_time: _authTime, ...claims } = jwt?.claims ?? {};
    assert.equal(jwt?.header.typ, 'oauth-id-jag+jwt');
    assert.equal(exp, Number(iat) + 300);
    assert.deepEqual(claims, { iss: company.issuer, sub: ada, aud: shop.issuer, client_id: 'shop-agent', resource: files.row.resource, scope: 'files:read' });
  }
});

test('[JAG-11] [TEX-02] [TEX-03] [TEX-05] what an assertion may not be made from, for or by', async (t) => {
  const world = await open(t);
  const { company, shop, files } = world;
  const { id_token: signedIn = '', access_token: access, refresh_token: refresh = '' } = await signInAtCompany(world);
  await company.addClient({ id: 'other', secret: 'cs_other', metadata: { grantTypes: [exchangeType] } });
  const good = { subject_token: signedIn, audience: shop.issuer, resource: files.row.resource };
  const aboutAda = await fetch(`${company.issuer}/userinfo`, { headers: { Authorization: `Bearer ${access}` } });
  assert.equal(aboutAda.headers.get('content-type'), 'application/jwt');
  const asJag = ((await (await exchange(world, good)).json()) as { access_token: string }).access_token;
  const rotated = { grant_type: 'refresh_token', refresh_token: refresh };
  const newer = await fetch(`${company.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams(rotated),
    headers: { Authorization: `Basic ${btoa('sso-agent:cs_sso')}` },
  });
  assert.equal(newer.status, 200);

  for (const [name, values, error, credentials] of [
    ['an access token', { subject_token: access }, 'invalid_request'],
    ['an access token called ID token', { subject_token: access, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' }, 'invalid_request'],
    ['a refresh token that was replaced', { subject_token: refresh, subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, 'invalid_request'],
    ['an assertion', { subject_token: asJag }, 'invalid_request'],
    ['signed userinfo, which never ends', { subject_token: await aboutAda.text() }, 'invalid_request'],
    ['nonsense', { subject_token: 'x.y.z' }, 'invalid_request'],
    ['an ID token of another client', {}, 'invalid_request', 'other:cs_other'],
    ['an actor', { actor_token: access, actor_token_type: 'urn:ietf:params:oauth:token-type:access_token' }, 'invalid_request'],
    ['no audience', { audience: '' }, 'invalid_request'],
    ['a server nobody listed', { audience: 'https://other.example' }, 'invalid_target'],
    ['a resource nobody listed', { resource: 'https://other.example' }, 'invalid_target'],
    ['a scope nobody listed', { scope: 'files:delete' }, 'invalid_scope'],
  ] as [string, Record<string, string>, string, string?][]) {
    const response = await exchange(world, { ...good, ...values }, credentials);
    assert.deepEqual([name, response.status, ((await response.json()) as { error: string }).error], [name, 400, error]);
  }
  const home = await fetch(`${company.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: bearerType, assertion: asJag }),
    headers: { Authorization: `Basic ${btoa('sso-agent:cs_sso')}` },
  });
  assert.equal(((await home.json()) as { error: string }).error, 'unauthorized_client');
});

test('[JAG-11] a refresh token that is past its time makes no assertion, also before housekeeping has ended its grant', async (t) => {
  const world = await open(t);
  const { refresh_token: refresh = '' } = await signInAtCompany(world);
  const asked = { subject_token: refresh, subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token', audience: world.shop.issuer };
  assert.equal((await exchange(world, asked)).status, 200);

  world.company.clock.advance(400 * 86_400);

  assert.equal((await exchange(world, asked)).status, 400);
});

test('[JAG-11] an agent that was disconnected at the company gets no assertion, whatever it kept', async (t) => {
  const world = await open(t);
  const { id_token: signedIn = '' } = await signInAtCompany(world);
  const good = { subject_token: signedIn, audience: world.shop.issuer };
  assert.equal((await exchange(world, good)).status, 200);

  await world.company.disconnect();

  const response = await exchange(world, good);
  assert.deepEqual([response.status, ((await response.json()) as { error: string }).error], [400, 'invalid_request']);
});
