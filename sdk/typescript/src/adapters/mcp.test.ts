import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { requireBearerAuth as requireBearerAuthV1 } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { requireBearerAuth } from '@modelcontextprotocol/server';
import { activeAnswer, listen, optionsFor, playAuthorizationServer, resource } from '../../test/stage.ts';
import { mcpTokenVerifier } from './mcp.ts';
import { mcpTokenVerifier as mcpTokenVerifierV1 } from './mcp-v1.ts';

const hour = () => Math.floor(Date.now() / 1000) + 3600;
const document = 'https://files.example.com/.well-known/oauth-protected-resource/mcp';

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
  assert.equal(outcome.resourceMetadataUrl, document);
  assert.notEqual(outcome.token, 'abc');
});

test('[RS-02] [RS-17] with the official v2 check a bad token is 401 with our document, an outage never is', async (t) => {
  const played = await playAuthorizationServer(t);
  const verifier = mcpTokenVerifier({ ...optionsFor(played), resource });
  const gate = requireBearerAuth({ verifier, resourceMetadataUrl: verifier.resourceMetadataUrl });
  const call = async () => (await gate(new Request(resource, { headers: { Authorization: 'Bearer abc' } }))) as Response;

  played.reply = () => ({ body: { active: false } });
  const refused = await call();
  played.reply = () => ({ status: 503 });
  const down = await call();

  assert.equal(refused.status, 401);
  assert.match(refused.headers.get('www-authenticate') ?? '', new RegExp(`error="invalid_token".*resource_metadata="${document}"`));
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
  assert.match(bad.headers.get('www-authenticate') ?? '', new RegExp(`resource_metadata="${document}"`));
  assert.equal(down.status, 500);
});
