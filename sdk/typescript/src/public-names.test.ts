import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { AuthAgentClient, type AuthContext, AuthenticationError, AuthorizationError, authAgentMiddleware } from 'auth-agent-mcp-sdk';
import { requireAnyScope, requireAuth, requireScope } from 'auth-agent-mcp-sdk/express';
import { mcpTokenVerifier } from 'auth-agent-mcp-sdk/mcp';
import { mcpTokenVerifier as mcpTokenVerifierV1 } from 'auth-agent-mcp-sdk/mcp-v1';
import { Hono } from 'hono';

const apiKey = 'sk_xyz789';
const authServerUrl = 'http://localhost:9000';

/** The snippets of the documentation. What matters most is that they compile: `tsc` reads this file. */
test('the snippet of the documentation compiles, runs, and gives the user a type', async () => {
  const app = new Hono();
  app.use('*', authAgentMiddleware({ serverId: 'srv_abc123', apiKey: 'sk_xyz789', requiredScopes: ['files:read'], authServerUrl }));
  app.get('/api/files', (c) => {
    const user = c.get('user');
    const { id, clientId, scopes, resource }: { id: string; clientId: string; scopes: readonly string[]; resource: string } = user;
    const email: string | undefined = user.email;
    // @ts-expect-error the type knows what it does not have
    user.password;
    return c.json({ files: [], id, clientId, scopes, resource, user_email: email });
  });

  const response = await app.request('/api/files');

  assert.equal(response.status, 401);
  assert.equal(
    response.headers.get('www-authenticate'),
    'Bearer realm="srv_abc123", resource_metadata="http://localhost:9000/.well-known/oauth-protected-resource/srv_abc123", scope="files:read"',
  );
});

test('the other promised names exist, with their types', () => {
  const client = new AuthAgentClient({ serverId: 'srv_abc123', apiKey, authServerUrl, requiredScopes: ['files:read'], cacheTtl: 10 });
  const validate: (token: string) => Promise<AuthContext> = client.validateToken.bind(client);
  // @ts-expect-error a key is needed unless tokens are verified locally
  const keyless = () => new AuthAgentClient({ serverId: 'srv_abc123', authServerUrl });
  // @ts-expect-error there is nothing to require
  assert.throws(() => requireScope(), TypeError);

  assert.equal(typeof validate, 'function');
  assert.throws(keyless, /"apiKey"/);
  assert.ok(new AuthenticationError('invalid_token') instanceof Error && new AuthorizationError(['a']) instanceof Error);
  for (const name of [requireAuth, requireScope, requireAnyScope, mcpTokenVerifier, mcpTokenVerifierV1]) assert.equal(typeof name, 'function');
});

test('nothing needs node, but for types: the package runs wherever fetch does', () => {
  const folders = ['./', './adapters/'].map((folder) => new URL(folder, import.meta.url));
  const sources = folders.flatMap((folder) => readdirSync(folder).flatMap((name) => (/(?<!\.test)\.ts$/.test(name) ? [new URL(name, folder)] : [])));

  for (const source of sources) {
    const imports = [...readFileSync(source, 'utf8').matchAll(/^(?:import|export) (?!type )[^;]*? from '([^.'][^']*)'/gm)].map((match) => match[1] ?? '');
    const allowed = source.pathname.includes('/adapters/mcp') ? /^@modelcontextprotocol\// : /^jose$/;
    for (const name of imports) assert.match(name, allowed, source.pathname);
  }
  assert.ok(sources.length > 20);
});
