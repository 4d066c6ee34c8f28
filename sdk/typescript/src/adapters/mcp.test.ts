import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { requireBearerAuth as requireBearerAuthV1 } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { createMcpHandler, McpServer, requireBearerAuth } from '@modelcontextprotocol/server';
import { activeAnswer, listen, optionsFor, type PlayedServer, playAuthorizationServer, resource } from '../../test/stage.ts';
import type { AuthContext } from '../verify.ts';
import { protect } from './fetch.ts';
import { mcpTokenVerifier, toAuthInfo } from './mcp.ts';
import { mcpTokenVerifier as mcpTokenVerifierV1 } from './mcp-v1.ts';

const hour = () => Math.floor(Date.now() / 1000) + 3600;
const document = ({ url }: PlayedServer) => `${url}/.well-known/oauth-protected-resource/srv_abc123`;

test('[RS-21] [RS-20] the official v2 check accepts our AuthInfo: numeric exp, resource, scopes with what they include, no token', async (t) => {
  const played = await playAuthorizationServer(t);
  played.reply = () => ({ body: activeAnswer(played.url, { exp: hour(), iat: 1, scope: 'files:write' }) });
  const verifier = mcpTokenVerifier({ ...optionsFor(played), now: () => Date.now() / 1000, resource, scopeHierarchy: { 'files:write': ['files:read'] } });
  const gate = requireBearerAuth({
    verifier,
    requiredScopes: ['files:read'],
    resourceMetadataUrl: verifier.resourceMetadataUrl,
    expectedResource: new URL(resource),
  });

  const outcome = await gate(new Request(resource, { headers: { Authorization: 'Bearer abc' } }));

  assert.ok(!(outcome instanceof Response));
  assert.deepEqual(outcome.scopes, ['files:write', 'files:read']);
  assert.equal(typeof outcome.expiresAt, 'number');
  assert.equal(outcome.resource?.href, resource);
  assert.equal(outcome.resourceMetadataUrl, document(played));
  assert.notEqual(outcome.token, 'abc');
});

test('[RS-02] [RS-17] with the official v2 check a bad token is 401 with a document that somebody serves, an outage never is', async (t) => {
  const played = await playAuthorizationServer(t);
  const verifier = mcpTokenVerifier({ ...optionsFor(played), resource });
  const gate = requireBearerAuth({ verifier, resourceMetadataUrl: verifier.resourceMetadataUrl });
  const call = async () => (await gate(new Request(resource, { headers: { Authorization: 'Bearer abc' } }))) as Response;

  played.reply = () => ({ body: { active: false } });
  const refused = await call();
  played.reply = () => ({ status: 503 });
  const down = await call();

  assert.equal(refused.status, 401);
  assert.match(refused.headers.get('www-authenticate') ?? '', new RegExp(`error="invalid_token".*resource_metadata="${document(played)}"`));
  assert.equal(down.status, 500);
});

test('[RS-21] [RS-02] [RS-17] the official v1 check: good, bad, down', async (t) => {
  const played = await playAuthorizationServer(t);
  const verifier = mcpTokenVerifierV1({ ...optionsFor(played), now: () => Date.now() / 1000, resource });
  const express = createRequire(import.meta.url)('express') as () => RequestListener & { use(...handlers: unknown[]): void };
  const app = express();
  app.use(requireBearerAuthV1({ verifier, requiredScopes: ['files:read'], resourceMetadataUrl: verifier.resourceMetadataUrl }));
  app.use((request: { auth: { clientId: string } }, response: { json(body: unknown): void }) => response.json(request.auth));
  const url = await listen(t, app);
  const call = (token: string) => fetch(url, { headers: { Authorization: `Bearer ${token}` } });

  played.reply = () => ({ body: activeAnswer(played.url, { exp: hour(), iat: 1 }) });
  const good = await call('good');
  played.reply = () => ({ body: { active: false } });
  const bad = await call('bad');
  played.reply = () => ({ status: 503 });
  const down = await call('down');

  assert.equal(((await good.json()) as { clientId: string }).clientId, 'client_a');
  assert.equal(bad.status, 401);
  assert.match(bad.headers.get('www-authenticate') ?? '', new RegExp(`resource_metadata="${document(played)}"`));
  assert.equal(down.status, 500);
});

for (const mode of ['legacy', 'auto'] as const) {
  test(`[RS-16] [RS-20] the official v2 handler behind ours, called by the official client (${mode}): tools know the user, the missing scope is an HTTP 403`, async (t) => {
    const played = await playAuthorizationServer(t);
    const mcp = createMcpHandler(() => {
      const server = new McpServer({ name: 'files', version: '1.0.0' });
      server.registerTool('whoami', { description: 'Says who calls' }, (ctx) => {
        const user = ctx.http?.authInfo?.extra?.user as AuthContext;
        return { content: [{ type: 'text', text: user.email ?? '' }] };
      });
      server.registerTool('write_file', { description: 'Writes' }, () => ({ content: [{ type: 'text', text: 'written' }] }));
      return server;
    });
    const options = { ...optionsFor(played), resource, requiredScopes: ['files:read'], toolScopes: { write_file: ['files:write'] } };
    const handle = protect(options, (request, auth) => mcp.fetch(request, { authInfo: toAuthInfo(auth) }));
    const challenges: (string | null)[] = [];
    const transport = new StreamableHTTPClientTransport(new URL(resource), {
      requestInit: { headers: { Authorization: 'Bearer abc' } },
      fetch: async (url, init) => {
        const response = await handle(new Request(url, init));
        if (response.status === 403) challenges.push(response.headers.get('www-authenticate'));
        return response;
      },
    });
    const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } });
    await client.connect(transport);
    t.after(() => client.close());

    const answer = await client.callTool({ name: 'whoami', arguments: {} });
    await assert.rejects(client.callTool({ name: 'write_file', arguments: {} }));

    assert.deepEqual(answer.content, [{ type: 'text', text: 'testuser@example.com' }]);
    assert.match(challenges[0] ?? '', /error="insufficient_scope", scope="files:read files:write"/);
  });
}

test('[RS-15] neither verifier passes a sign-in that is too weak: its check knows no step-up, so it is 401 like a bad token', async (t) => {
  const played = await playAuthorizationServer(t);
  const options = { ...optionsFor(played), resource, acrValues: ['aal2'] };

  for (const verifier of [mcpTokenVerifier(options), mcpTokenVerifierV1(options)])
    await assert.rejects(verifier.verifyAccessToken('abc'), { message: 'The person must sign in again for this' });
});

test('[RS-16] options that a verifier cannot keep are refused at start: it sees no request', () => {
  const options = { serverId: 'srv_a', apiKey: 'sk_a', authServerUrl: 'https://auth.example.com' };
  const wrong = [{ toolScopes: { a: ['b'] } }, { requiredScopes: ['a'] }, { publicPaths: ['/health'] }, { allowedOrigins: ['https://app.example.com'] }];

  for (const [name, make] of Object.entries({ v2: mcpTokenVerifier, v1: mcpTokenVerifierV1 }))
    for (const option of wrong)
      assert.throws(() => make({ ...options, ...option } as never), { name: 'TypeError', message: new RegExp(`"${Object.keys(option)[0]}"`) }, name);
});
