import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customFetch, discoveryRequest, processDiscoveryResponse } from 'oauth4webapi';
import { auditEvent } from '../../src/audit/event.ts';
import type { ServerOptions } from '../../src/options.ts';
import { routes } from '../../src/server.ts';
import { grantTypes } from '../../src/token/grants/index.ts';
import { issuer, testServer } from '../harness.ts';
import { type Json, stage } from './token-stage.ts';

const oauth = '/.well-known/oauth-authorization-server';
const openid = '/.well-known/openid-configuration';
const resource = '/.well-known/oauth-protected-resource';

async function tenanted(overrides: Partial<ServerOptions> = {}) {
  const scene = await stage({ fetchDocument: () => Promise.reject(new Error('no network')), ...overrides });
  await scene.server.storage.addTenant({ tenant: 'acme', name: 'Acme', createdAt: 0 });
  const read = async (path: string, init?: RequestInit) => (await (await scene.request(path, init)).json()) as Json;
  return { ...scene, read };
}

const algorithms = ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA', 'Ed25519'];

test('[META-01] [META-07] [META-08] [META-09] [META-10] the root publishes one object with every member whose absence would mean something else', async () => {
  const { request } = await tenanted();

  const response = await request(oauth);

  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.deepEqual(await response.json(), {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    authorization_endpoint: `${issuer}/authorize`,
    pushed_authorization_request_endpoint: `${issuer}/par`,
    registration_endpoint: `${issuer}/register`,
    token_endpoint: `${issuer}/token`,
    introspection_endpoint: `${issuer}/introspect`,
    revocation_endpoint: `${issuer}/revoke`,
    userinfo_endpoint: `${issuer}/userinfo`,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'form_post'],
    grant_types_supported: [
      'authorization_code',
      'refresh_token',
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:device_code',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
    ],
    authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
    identity_chaining_requested_token_types_supported: ['urn:ietf:params:oauth:token-type:id-jag'],
    device_authorization_endpoint: 'https://auth.example.com/device_authorization',
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: algorithms,
    introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'Bearer'],
    introspection_endpoint_auth_signing_alg_values_supported: algorithms,
    revocation_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    revocation_endpoint_auth_signing_alg_values_supported: algorithms,
    code_challenge_methods_supported: ['S256'],
    dpop_signing_alg_values_supported: ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'RS256'],
    scopes_supported: ['openid', 'profile', 'email'],
    authorization_response_iss_parameter_supported: true,
    acr_values_supported: ['aal1', 'aal2'],
    ui_locales_supported: ['en', 'de', 'es', 'fr', 'pt-BR', 'ar', 'ja', 'zh-Hans'],
    client_id_metadata_document_supported: true,
    subject_types_supported: ['public', 'pairwise'],
    id_token_signing_alg_values_supported: ['RS256', 'ES256'],
    userinfo_signing_alg_values_supported: ['RS256', 'ES256'],
    introspection_signing_alg_values_supported: ['RS256'],
    end_session_endpoint: `${issuer}/logout`,
    claims_supported: [
      ...['sub', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'acr', 'amr', 'nonce', 'at_hash', 'sid'],
      ...['name', 'preferred_username', 'email', 'email_verified'],
    ],
    claims_parameter_supported: false,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
  });
});

test('[META-02] [META-03] [META-08] [META-09] [D2] an issuer with a path publishes the same document at every address that clients try, with its own issuer', async () => {
  const { read } = await tenanted();

  const documents = await Promise.all([`${oauth}/t/acme`, `${openid}/t/acme`, `/t/acme${openid}`, `/t/acme${oauth}`].map((path) => read(path)));

  for (const document of documents) {
    assert.equal(document.issuer, `${issuer}/t/acme`);
    assert.equal(document.token_endpoint, `${issuer}/t/acme/token`);
    assert.equal(document.jwks_uri, `${issuer}/t/acme/.well-known/jwks.json`);
    assert.deepEqual(document, documents[0]);
  }
});

test('[META-01] an independent client discovers the server by both conventions', async () => {
  const { request } = await tenanted();

  for (const algorithm of ['oauth2', 'oidc'] as const) {
    const response = await discoveryRequest(new URL(issuer), { algorithm, [customFetch]: request as typeof fetch });
    assert.equal((await processDiscoveryResponse(new URL(issuer), response)).issuer, issuer);
  }
});

test('[META-04] the issuer comes from configuration: a forged Host or forwarding header changes nothing', async () => {
  const { request } = await tenanted();
  const expected = await (await request(oauth)).text();

  const forged = await request('https://evil.example.com/.well-known/oauth-authorization-server', {
    headers: { Host: 'evil.example.com', 'X-Forwarded-Host': 'evil.example.com', Forwarded: 'host=evil.example.com', 'X-Forwarded-Proto': 'http' },
  });

  assert.equal(await forged.text(), expected);
});

test('[META-05] an issuer that is not https, has a path, a query, userinfo or a trailing slash is refused at start', async () => {
  for (const wrong of [
    'http://auth.example.com',
    'https://auth.example.com/',
    'https://auth.example.com/x',
    'https://a@auth.example.com',
    'https://auth.example.com?x',
    'auth',
  ])
    await assert.rejects(stage({ issuer: wrong }), /"issuer"/, wrong);
  await stage({ issuer: 'http://localhost:9000' });
});

test('[META-06] [META-14] [META-23] what does not exist below /.well-known is 404 JSON for any origin, never the root, a redirect or a page', async () => {
  const { request } = await tenanted();

  for (const path of [
    `${oauth}/t/nobody`,
    `${openid}/t/nobody`,
    `/t/nobody${openid}`,
    `${oauth}/acme`,
    `${oauth}/t/acme/x`,
    `${oauth}/t/ACME`,
    `${resource}/srv_none`,
    `${resource}/t/nobody`,
    '/.well-known/x',
    '/t/nobody/.well-known/jwks.json',
  ]) {
    const response = await request(path, { headers: { Accept: 'text/html', 'MCP-Protocol-Version': '2026-07-28' } });
    assert.equal(response.status, 404, path);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    assert.equal(((await response.json()) as Json).error, 'not_found');
  }
});

test('[META-11] [D15] no document has an empty list, an empty string or null', async () => {
  const { request, addServer } = await tenanted();
  const bare = await addServer({ resource: 'https://bare.example.com', scopes: [] });

  for (const path of [oauth, openid, resource, `${resource}/${bare.id}`, '/.well-known/jwks.json'])
    assert.doesNotMatch(await (await request(path)).text(), /\[\]|""|null/);
});

test('[META-16] [META-17] [META-18] [META-24] [META-25] what is not offered is not advertised', async () => {
  const { request } = await tenanted({ signIn: { passkeys: false, totp: false } });

  const text = await (await request(oauth)).text();

  assert.doesNotMatch(text, /require_pushed|protected_resources|aal2|HS256|plain/);
});

test('[META-12] wherever private_key_jwt is listed its algorithms are, none of them symmetric', async () => {
  const { read } = await tenanted();
  const document = await read(oauth);
  const listing = Object.keys(document).filter((name) => name.endsWith('_auth_methods_supported'));

  assert.equal(listing.length, 3);
  for (const name of listing) {
    const offered = document[name.replace('_methods_', '_signing_alg_values_')] as string[];
    assert.ok((document[name] as string[]).includes('private_key_jwt') && offered.length > 0, name);
    assert.deepEqual(
      offered.filter((alg) => /^(HS|none)/.test(alg)),
      [],
    );
  }
});

test('[META-13] [D14] openid-configuration is the complete document, or 404 where there is no userinfo', async () => {
  const { read } = await tenanted();
  const plain = await testServer(
    {},
    routes.filter(({ path }) => path !== '/userinfo'),
  );

  assert.deepEqual(await read(openid), await read(oauth));
  const response = await plain.request(openid);
  assert.equal(response.status, 404);
  const without = (await (await plain.request(oauth)).json()) as Json;
  assert.equal('subject_types_supported' in without || 'userinfo_endpoint' in without, false);
});

test('[META-15] every advertised endpoint answers, every offered grant type is advertised, and a closed registration is not', async () => {
  const { request, read } = await tenanted();
  const document = await read(oauth);
  const closed = await stage({ clients: { registration: 'closed' } });

  for (const [name, url] of Object.entries(document).filter(([key]) => key.endsWith('_endpoint') || key === 'jwks_uri'))
    assert.notEqual((await request(String(url), { method: 'GET' })).status, 404, name);
  assert.deepEqual(
    document.grant_types_supported,
    grantTypes.map(({ name }) => name),
  );
  const text = await (await closed.request(oauth)).text();
  assert.doesNotMatch(text, /registration_endpoint/);
  assert.match(text, /"client_id_metadata_document_supported":false/);
});

test('[META-19] offline_access is listed only where asking for it changes something', async () => {
  const bound = await stage({ refreshTokens: 'offline_access' });
  const always = await stage();

  assert.match(await (await bound.request(oauth)).text(), /"scopes_supported":\[[^\]]*"offline_access"/);
  assert.doesNotMatch(await (await always.request(oauth)).text(), /offline_access/);
});

test('[META-20] documents may be cached, carry a tag that answers 304, set no cookie and take GET, HEAD and OPTIONS only', async () => {
  const { request, mcp } = await tenanted();

  for (const path of [oauth, openid, resource, `${resource}/${mcp.id}`, '/.well-known/jwks.json', `${oauth}/t/acme`]) {
    const response = await request(path);
    const tag = response.headers.get('etag') ?? '';
    assert.equal(response.headers.get('cache-control'), 'public, max-age=600');
    assert.match(tag, /^"[A-Za-z0-9_-]+"$/);
    assert.equal(response.headers.get('set-cookie'), null);
    for (const known of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
      const unchanged = await request(path, { headers: { 'If-None-Match': known } });
      assert.equal(unchanged.status, 304, known);
      assert.equal(await unchanged.text(), '');
    }
    assert.equal((await request(path, { headers: { 'If-None-Match': '"x"' } })).status, 200);
    assert.equal((await request(path, { method: 'HEAD' })).status, 200);
    const posted = await request(path, { method: 'POST' });
    assert.equal(posted.status, 405);
    assert.equal(posted.headers.get('allow'), 'GET, HEAD, OPTIONS');
  }
});

test('[META-21] [CORS-01] [CORS-02] [PRM-08] discovery is readable from any origin, with the header the official SDK sends', async () => {
  const { request, mcp } = await tenanted();
  const headers = { Origin: 'http://localhost:6274', 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'mcp-protocol-version' };

  for (const path of [oauth, openid, `${oauth}/t/acme`, resource, `${resource}/${mcp.id}`, '/.well-known/jwks.json']) {
    const preflight = await request(path, { method: 'OPTIONS', headers });
    const answer = await request(path, { headers: { Origin: headers.Origin, 'MCP-Protocol-Version': '2026-07-28' } });
    assert.equal(preflight.status, 204);
    assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /MCP-Protocol-Version/i);
    assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /GET/);
    for (const response of [preflight, answer]) assert.equal(response.headers.get('access-control-allow-origin'), '*');
    assert.equal(answer.status, 200);
  }
});

test('[META-22] [D20] the endpoints lie at the origin of the issuer, at the paths that older clients assume', async () => {
  const { read } = await tenanted();

  const document = await read(oauth);

  assert.deepEqual(
    [document.authorization_endpoint, document.token_endpoint, document.registration_endpoint],
    [`${issuer}/authorize`, `${issuer}/token`, `${issuer}/register`],
  );
});

test('[META-26] an identifier that only looks alike is another one', async () => {
  const { request, post, addClient } = await tenanted();
  const client = await addClient({ id: 'client_\u00e9' });

  const decomposed = await post('/token', { grant_type: 'refresh_token', refresh_token: 'rt_x', client_id: client.id.normalize('NFD') });
  const same = await post('/token', { grant_type: 'refresh_token', refresh_token: 'rt_x', client_id: client.id });

  assert.equal(decomposed.status, 401);
  assert.equal(same.status, 400);
  assert.equal((await request(`${oauth}/t/%61cme%CC%81`)).status, 404);
});

test('[PRM-01] [PRM-03] [PRM-04] [PRM-05] [PRM-10] the document of a registered server names the resource byte for byte, our issuer and its own scopes', async () => {
  const { read, addServer } = await tenanted();
  const server = await addServer({
    resource: 'https://files.example.com/mcp/',
    scopes: [{ name: 'files:read' }, { name: 'offline_access' }, { name: 'openid' }, { name: 'files:write' }],
  });

  assert.deepEqual(await read(`${resource}/${server.id}`), {
    resource: 'https://files.example.com/mcp/',
    authorization_servers: [issuer],
    scopes_supported: ['files:read', 'files:write'],
    bearer_methods_supported: ['header'],
    resource_name: 'My File Server',
  });
});

test('[PRM-03] [PRM-10] [PRM-14] the server describes its own API, and that of a tenant at the address for it', async () => {
  const { read } = await tenanted();

  const own = await read(resource);

  assert.deepEqual(own, {
    resource: issuer,
    authorization_servers: [issuer],
    scopes_supported: ['openid', 'profile', 'email'],
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'RS256'],
    resource_name: 'Auth-Agent',
  });
  for (const path of [`${resource}/t/acme`, `/t/acme${resource}`]) assert.deepEqual((await read(path)).authorization_servers, [`${issuer}/t/acme`]);
});

test('[PRM-04] [PRM-13] a server at a bare origin is named without a slash, and a changed server is described anew a second later', async () => {
  const { read, addServer, store, clock } = await tenanted();
  const server = await addServer({ resource: 'https://h.example.com' });
  assert.equal((await read(`${resource}/${server.id}`)).resource, 'https://h.example.com');

  await store.updateServer({ ...server, name: 'New name' }, auditEvent('server.updated', clock.now(), 'test'));
  clock.advance(1);

  assert.equal((await read(`${resource}/${server.id}`)).resource_name, 'New name');
});

test('[PRM-09] a protected resource document is cacheable for at most an hour', async () => {
  const { request, mcp } = await tenanted();

  const age = /max-age=(\d+)/.exec((await request(`${resource}/${mcp.id}`)).headers.get('cache-control') ?? '')?.[1];

  assert.ok(Number(age) > 0 && Number(age) <= 3600);
});

test('[PRM-12] two servers of one host have two documents', async () => {
  const { read, mcp, addServer } = await tenanted();
  const other = await addServer({ resource: 'https://mcp.example.com/other' });

  assert.notEqual((await read(`${resource}/${mcp.id}`)).resource, (await read(`${resource}/${other.id}`)).resource);
});
