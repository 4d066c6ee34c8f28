import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { configuredIssuer } from './configured-issuer.ts';
import { configuredTokens } from './configured-tokens.ts';
import type { Fetch } from './guarded-fetch.ts';
import { openStore, tokenKey } from './store.ts';

const origin = 'https://auth.example.com';
const metadataOf = (issuer: string, from = issuer) => ({
  issuer,
  authorization_endpoint: `${from}/authorize`,
  token_endpoint: `${from}/token`,
  code_challenge_methods_supported: ['S256'],
});

/** Serves the documents by their addresses, and 404 otherwise. */
const serving =
  (documents: Record<string, object>): Fetch =>
  async (url) => {
    const document = documents[new URL(url).pathname];
    return new Response(JSON.stringify(document ?? {}), { status: document ? 200 : 404, headers: { 'Content-Type': 'application/json' } });
  };
const wellKnown = '/.well-known/oauth-authorization-server';

test('the issuer of a configuration is the one whose metadata names its authorization_url, however deep; one that is written down asks nobody', async () => {
  const of = (path: string, documents: Record<string, object>, issuer?: string) =>
    configuredIssuer({ authorizationUrl: new URL(origin + path), issuer }, serving(documents));
  const acme = { [`${wellKnown}/t/acme`]: metadataOf(`${origin}/t/acme`) };

  assert.equal(await of('/t/acme/authorize', acme), `${origin}/t/acme`);
  assert.equal(
    await of('/t/acme/login/authorize', { [`${wellKnown}/t/acme`]: { ...metadataOf(`${origin}/t/acme`, `${origin}/t/acme/login`) } }),
    `${origin}/t/acme`,
  );
  assert.equal(await of('/authorize', { [wellKnown]: metadataOf(origin) }), origin);
  assert.equal(await of('/oauth/authorize', { [wellKnown]: metadataOf(origin) }), origin);
  assert.equal(await of('/t/acme/authorize', { [`${wellKnown}/t/acme`]: metadataOf('https://evil.example') }), origin, 'who speaks for another is passed over');
  assert.equal(await of('/t/acme/authorize', { [`${wellKnown}/t/acme`]: metadataOf(`${origin}/t/acme`, `${origin}/t/other`) }), origin);
  assert.equal(await of('/sign-in', {}, `${origin}/t/acme`), `${origin}/t/acme`);
});

test('what was kept for a tenant is used again: its tokens belong to the issuer of the tenant, not to the origin', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'auth-agent-issuer-'));
  const server = createServer((request, response) => {
    const issuer = `http://${request.headers.host}/t/acme`;
    const found = request.url === `${wellKnown}/t/acme`;
    response.writeHead(found ? 200 : 404, { 'Content-Type': 'application/json' }).end(JSON.stringify(found ? metadataOf(issuer) : {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/t/acme`;
  const store = openStore({ AUTH_AGENT_CLIENT_STORE: join(folder, 'kept.json') });
  await store.change((kept) => {
    kept.tokens[tokenKey({ issuer, resource: 'stdio:files:c' })] = { accessToken: 'of the tenant' };
  });

  const auth = { authorizationUrl: new URL(`${issuer}/authorize`), tokenUrl: new URL(`${issuer}/token`), clientId: 'c' };
  const tokens = await configuredTokens({ name: 'files', auth, store, openReception: () => assert.fail('asked the person'), now: 1 });

  assert.equal(tokens.accessToken, 'of the tenant');
});
