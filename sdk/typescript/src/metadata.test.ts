import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goodReply, optionsFor, playAuthorizationServer, registered, resource } from '../test/stage.ts';
import { readVectors, titleOf } from '../test/vectors.ts';
import { protect } from './adapters/fetch.ts';
import { AuthAgentClient } from './client.ts';
import { metadataAnswer, metadataUrl, wellKnown } from './metadata.ts';

interface Case {
  readonly name: string;
  readonly requirements: string[];
  readonly resource: string;
  readonly shared_host: boolean;
  readonly url: string;
  readonly documents: string[];
  readonly not_found: string[];
}

for (const vector of readVectors<{ cases: Case[] }>('metadata-locations').cases) {
  test(`${titleOf(vector)} (metadata)`, async (t) => {
    const played = await playAuthorizationServer(t);
    const options = { ...optionsFor(played), resource: vector.resource, sharedHost: vector.shared_host };
    let reached = 0;
    const handle = protect(options, () => new Response(String(++reached)));
    const host = new URL(vector.resource).origin;

    assert.equal(metadataUrl(new AuthAgentClient(options).settings), vector.url);
    for (const target of vector.documents) {
      const response = await handle(new Request(host + target));
      assert.equal(response.status, 200, target);
      assert.equal(((await response.json()) as { resource: string }).resource, vector.resource);
    }
    for (const target of vector.not_found) assert.equal((await handle(new Request(host + target))).status, 404, target);
    assert.equal(reached, 0);
  });
}

test('[PRM-03] [PRM-05] [PRM-10] the document has what clients need, and nothing they would choke on', async (t) => {
  const played = await playAuthorizationServer(t);
  played.reply = () => ({ body: registered(played.url, { scopes_supported: ['files:read', 'offline_access', 'openid', 'files:write'] }) });

  const response = await protect({ ...optionsFor(played), resource }, () => new Response())(new Request(`https://files.example.com${wellKnown}/mcp`));

  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.deepEqual(await response.json(), {
    resource,
    authorization_servers: [played.url],
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'RS256'],
    scopes_supported: ['files:read', 'files:write'],
    resource_name: 'My File Server',
  });
});

test('[PRM-03] an empty list of scopes is left out', async (t) => {
  const played = await playAuthorizationServer(t);
  played.reply = () => ({ body: registered(played.url, { scopes_supported: [] }) });

  const response = await protect({ ...optionsFor(played), resource }, () => new Response())(new Request(`https://files.example.com${wellKnown}/mcp`));

  assert.equal('scopes_supported' in ((await response.json()) as object), false);
});

test('[PRM-08] [CORS-02] [RS-18] everybody may read the document, browsers too, whatever their origin', async (t) => {
  const played = await playAuthorizationServer(t);
  const handle = protect({ ...optionsFor(played), resource }, () => new Response());
  const url = `https://files.example.com${wellKnown}/mcp`;
  const headers = { Origin: 'https://anything.example.com', 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'mcp-protocol-version' };

  const [get, head, preflight, post] = await Promise.all(['GET', 'HEAD', 'OPTIONS', 'POST'].map((method) => handle(new Request(url, { method, headers }))));

  assert.deepEqual([get?.status, head?.status, preflight?.status, post?.status], [200, 200, 204, 405]);
  for (const response of [get, head, preflight]) assert.equal(response?.headers.get('access-control-allow-origin'), '*');
  assert.match(preflight?.headers.get('access-control-allow-headers') ?? '', /MCP-Protocol-Version/);
  assert.match(preflight?.headers.get('access-control-allow-methods') ?? '', /GET, HEAD, OPTIONS/);
  assert.equal(await head?.text(), '');
  assert.equal(post?.headers.get('allow'), 'GET, HEAD, OPTIONS');
});

test('[PRM-09] the document may be cached for an hour', async (t) => {
  const played = await playAuthorizationServer(t);

  const response = await protect({ ...optionsFor(played), resource }, () => new Response())(new Request(`https://files.example.com${wellKnown}/mcp`));

  assert.equal(response.headers.get('cache-control'), 'public, max-age=3600');
});

test('[RS-17] [PRM-09] while the authorization server is down the document names the scopes this server needs, and is cached shortly', async (t) => {
  const played = await playAuthorizationServer(t);
  played.reply = () => ({ status: 503 });
  const options = { ...optionsFor(played), resource, requiredScopes: ['files:read'], toolScopes: { write_file: ['files:write'] } };

  const response = await protect(options, () => new Response())(new Request(`https://files.example.com${wellKnown}`));

  assert.equal(response.status, 200);
  assert.deepEqual(((await response.json()) as { scopes_supported: string[] }).scopes_supported, ['files:read', 'files:write']);
  assert.equal(response.headers.get('cache-control'), 'public, max-age=60');
});

test('[RS-17] without a configured resource an outage is 503 for the document too, readable by browsers', async (t) => {
  const played = await playAuthorizationServer(t);
  played.reply = () => ({ status: 503, headers: { 'Retry-After': '9' } });

  const response = await protect(optionsFor(played), () => new Response())(new Request(`https://files.example.com${wellKnown}`));

  assert.equal(response.status, 503);
  assert.equal(response.headers.get('retry-after'), '9');
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
});

test('[PRM-04] without a configured resource the registered one is served', async (t) => {
  const played = await playAuthorizationServer(t);
  const handle = protect(optionsFor(played), () => new Response());

  const response = await handle(new Request(`https://files.example.com${wellKnown}/mcp`));

  assert.equal(((await response.json()) as { resource: string }).resource, resource);
});

test('[PRM-07] the Host of a request changes nothing', async (t) => {
  const played = await playAuthorizationServer(t);
  const handle = protect({ ...optionsFor(played), resource }, () => new Response());
  const headers = { Host: 'evil.example.com', 'X-Forwarded-Host': 'evil.example.com', Forwarded: 'host=evil.example.com' };

  const document = await handle(new Request(`https://evil.example.com${wellKnown}/mcp`, { headers }));
  const refused = await handle(new Request('https://evil.example.com/mcp', { headers }));

  assert.doesNotMatch(await document.text(), /evil/);
  assert.match(refused.headers.get('www-authenticate') ?? '', /resource_metadata="https:\/\/files\.example\.com\//);
});

test('[PRM-02] [PRM-12] several servers on one host have a document each, and none at the root', async (t) => {
  const played = await playAuthorizationServer(t);
  const clients = ['a', 'b'].map((path) => new AuthAgentClient({ ...optionsFor(played), serverId: `srv_${path}`, resource: `https://h.example.com/${path}` }));
  const get = (target: string) => metadataAnswer({ method: 'GET', target }, clients);

  assert.equal(JSON.parse((await get(`${wellKnown}/a`)).body ?? '').resource, 'https://h.example.com/a');
  assert.equal(JSON.parse((await get(`${wellKnown}/b`)).body ?? '').resource, 'https://h.example.com/b');
  assert.equal((await get(wellKnown)).status, 404);
});

test('[PRM-10] a document that names another authorization server is not believed', async (t) => {
  const played = await playAuthorizationServer(t);
  const hints: string[] = [];
  played.reply = () => ({ body: registered('https://other.example.com') });
  const client = new AuthAgentClient({ ...optionsFor(played), log: (line) => hints.push(line) });

  await assert.rejects(client.getServerMetadata(), { code: 'auth_server_unavailable' });
  assert.match(hints.join('\n'), /names other authorization servers: \["https:\/\/other\.example\.com"\]\. "authServerUrl" must be one of them/);
});

test('[PRM-13] [RS-08] a resource registered as a bare origin is met by both spellings', async (t) => {
  const played = await playAuthorizationServer(t);
  for (const spelling of ['https://h.example.com', 'https://h.example.com/']) {
    played.reply = (request) => (request.path === '/introspect' ? { body: { ...activeFor(played.url), aud: spelling } } : goodReply(request, played.url));
    const client = new AuthAgentClient({ ...optionsFor(played), resource: 'https://h.example.com' });

    assert.equal((await client.validateToken('abc')).resource, 'https://h.example.com');
  }
});

function activeFor(issuer: string): Record<string, unknown> {
  const { body } = goodReply({ path: '/introspect' } as never, issuer) as { body: Record<string, unknown> };
  return body;
}
