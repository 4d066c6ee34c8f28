/** The official MCP SDKs and oauth4webapi register with us, unmodified: their parsers read what we answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registerClient } from '@modelcontextprotocol/client';
import { registerClient as registerWithV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import * as oauth from 'oauth4webapi';
import { issuer, type TestServer, testServer } from '../harness.ts';

const metadata = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  registration_endpoint: `${issuer}/register`,
  response_types_supported: ['code'],
};
const clientMetadata = {
  client_name: 'SDK app',
  redirect_uris: ['http://localhost:3000/callback'],
  grant_types: ['authorization_code'],
  response_types: ['code'],
};
/** Their fetch, into our server without a socket. */
const into =
  (server: TestServer): typeof fetch =>
  (input, init) =>
    server.request(input instanceof Request ? input.url : String(input), {
      method: init?.method ?? 'GET',
      headers: new Headers(init?.headers),
      body: init?.body ?? null,
    });

for (const [name, registerWith] of [
  ['@modelcontextprotocol/client', registerClient],
  ['@modelcontextprotocol/sdk', registerWithV1],
] as const) {
  test(`[DCR-02] [DCR-03] [DCR-10] ${name} registers a public and a confidential client`, async () => {
    const server = await testServer();
    const options = (method: string) => ({
      metadata,
      clientMetadata: { ...clientMetadata, token_endpoint_auth_method: method },
      scope: 'files:read',
      fetchFn: into(server),
    });

    const open = await registerWith(issuer, options('none'));
    const confidential = await registerWith(issuer, options('client_secret_basic'));

    assert.equal(open.client_secret, undefined);
    assert.deepEqual(open.grant_types, ['authorization_code', 'refresh_token']);
    assert.equal(confidential.client_secret_expires_at, 0);
    assert.ok(confidential.client_secret && confidential.client_id.startsWith('client_'));
  });
}

test('[DCR-02] [DCR-05] oauth4webapi reads success and refusal', async () => {
  const server = await testServer();
  const options = { [oauth.customFetch]: into(server) };

  const client = await oauth.processDynamicClientRegistrationResponse(await oauth.dynamicClientRegistrationRequest(metadata, { ...clientMetadata }, options));
  const refused = await oauth.dynamicClientRegistrationRequest(metadata, { ...clientMetadata, redirect_uris: ['javascript:alert(1)'] }, options);

  assert.equal(client.token_endpoint_auth_method, 'client_secret_basic');
  await assert.rejects(
    oauth.processDynamicClientRegistrationResponse(refused),
    (error) => error instanceof oauth.ResponseBodyError && error.error === 'invalid_redirect_uri',
  );
});
