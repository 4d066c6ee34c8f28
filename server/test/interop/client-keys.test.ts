/** Clients that prove who they are with a key: the official providers for machines, openid-client and oauth4webapi, from the first request to a tool call. */
import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { describe, test } from 'node:test';
import { Client, ClientCredentialsProvider, PrivateKeyJwtProvider, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { PrivateKeyJwtProvider as V1PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as V1Transport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { agentTokens } from 'auth-agent-mcp-sdk/agent';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import type { ClientMetadata } from '../../src/storage/store.ts';
import { type Jwk, signer } from '../signer.ts';
import { openStand, type Registered, type Stand } from './stand.ts';

const info = { name: 'interop', version: '0.1.0' };
const redirectUri = 'http://localhost:4711/callback';
const tools = ['list_files', 'read_file'];

/** A machine that may read, known by its key. */
function addMachine(stand: Stand, keys: Jwk[], more: Partial<ClientMetadata> = {}) {
  const metadata = { grantTypes: ['client_credentials'], scope: 'files:read', redirectUris: [], responseTypes: [], jwks: { keys } };
  return stand.addClient({ id: 'machine', metadata: { ...metadata, tokenEndpointAuthMethod: 'private_key_jwt', ...more } });
}

async function toolsSeenBy(client: Client | V1Client): Promise<string[]> {
  const { tools: seen } = await client.listTools();
  await client.close();
  return seen.map(({ name }) => name).filter((name) => tools.includes(name));
}

function connected(files: Registered, authProvider: ClientCredentialsProvider | PrivateKeyJwtProvider) {
  const client = new Client(info);
  return client.connect(new StreamableHTTPClientTransport(files.url, { authProvider })).then(() => client);
}

describe('official MCP clients as machines', () => {
  for (const algorithm of ['ES256', 'RS256'] as const)
    test(`[CA-06] [CC-04] PrivateKeyJwtProvider with ${algorithm} calls a protected server`, async (t) => {
      const stand = await openStand(t);
      const files = await stand.files();
      const key = signer('key-1', algorithm);
      // The provider names no kid: the kind of the key decides.
      await addMachine(stand, [key.jwk, signer('key-2', algorithm).jwk]);
      const privateKey = pem(key.privateKey);

      const client = await connected(files, new PrivateKeyJwtProvider({ clientId: 'machine', privateKey, algorithm, expectedIssuer: stand.issuer }));

      assert.deepEqual(await toolsSeenBy(client), tools);
    });

  test('[CA-06] [CC-04] so does the provider of the first SDK', async (t) => {
    const stand = await openStand(t);
    const files = await stand.files();
    const key = signer();
    await addMachine(stand, [key.jwk]);
    const authProvider = new V1PrivateKeyJwtProvider({
      clientId: 'machine',
      privateKey: pem(key.privateKey),
      algorithm: 'ES256',
      expectedIssuer: stand.issuer,
    });

    const client = new V1Client(info);
    await client.connect(new V1Transport(files.url, { authProvider }) as Parameters<V1Client['connect']>[0]);

    assert.deepEqual(await toolsSeenBy(client), tools);
  });

  test('[CA-01] [CC-01] ClientCredentialsProvider calls a protected server', async (t) => {
    const stand = await openStand(t);
    const files = await stand.files();
    await addMachine(stand, [], { jwks: undefined, tokenEndpointAuthMethod: 'client_secret_basic' });
    await stand.addClient({ id: 'secretive', secret: 'cs_secret', metadata: { grantTypes: ['client_credentials'], scope: 'files:read', redirectUris: [] } });

    const client = await connected(files, new ClientCredentialsProvider({ clientId: 'secretive', clientSecret: 'cs_secret', expectedIssuer: stand.issuer }));

    assert.deepEqual(await toolsSeenBy(client), tools);
  });

  for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const)
    test(`[CA-06] [CA-07] [CC-04] so does agentTokens of our SDK with ${algorithm}, bound to a key of its own`, async (t) => {
      const stand = await openStand(t);
      const files = await stand.files();
      const key = signer('key-1', algorithm);
      await addMachine(stand, [key.jwk, signer('key-2', algorithm).jwk]);
      const resource = files.url.href;
      const agent = agentTokens({ issuer: stand.issuer, clientId: 'machine', clientKey: key.privateKey, resource, dpop: true, now: stand.clock.now });
      const other = agentTokens({ issuer: stand.issuer, clientId: 'machine', clientKey: signer('key-3', algorithm).privateKey, now: stand.clock.now });

      const client = new Client(info);
      await client.connect(new StreamableHTTPClientTransport(files.url, { fetch: agent.fetch }));

      assert.deepEqual(await toolsSeenBy(client), tools);
      await assert.rejects(other.token(), { code: 'invalid_client' });
    });

  test('[CA-06] a key that was taken away opens nothing any more', async (t) => {
    const stand = await openStand(t);
    const files = await stand.files();
    await addMachine(stand, [signer('another').jwk]);
    const provider = new PrivateKeyJwtProvider({ clientId: 'machine', privateKey: pem(signer().privateKey), algorithm: 'ES256', expectedIssuer: stand.issuer });

    await assert.rejects(connected(files, provider), /Client authentication failed/);
  });
});

describe('openid-client and oauth4webapi with keys', () => {
  test('[CA-06] [CA-08] [PAR-01] openid-client pushes, redeems, refreshes, introspects and revokes with private_key_jwt', async (t) => {
    const stand = await openStand(t);
    const { row } = await stand.files();
    const key = signer();
    const { id } = await stand.addClient({ metadata: { jwks: { keys: [key.jwk] }, tokenEndpointAuthMethod: 'private_key_jwt' } });
    const authentication = openid.PrivateKeyJwt({ key: await cryptoKey(key.privateKey), kid: key.kid });
    const config = await openid.discovery(new URL(stand.issuer), id, undefined, authentication, { execute: [openid.allowInsecureRequests] });
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const expectedState = openid.randomState();

    const url = await openid.buildAuthorizationUrlWithPAR(config, {
      redirect_uri: redirectUri,
      scope: 'files:read',
      resource: row.resource,
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
    });
    const tokens = await openid.authorizationCodeGrant(config, await stand.allow(url), { pkceCodeVerifier, expectedState });
    const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '');
    const seen = await openid.tokenIntrospection(config, refreshed.access_token);
    await openid.tokenRevocation(config, refreshed.refresh_token ?? '');

    assert.deepEqual([seen.active, seen.client_id, refreshed.scope], [true, id, 'files:read']);
    assert.equal((await openid.tokenIntrospection(config, refreshed.access_token)).active, false);
  });

  test('[CA-06] [CC-04] oauth4webapi gets a machine its token, and its assertion for the token endpoint is refused', async (t) => {
    const stand = await openStand(t);
    const { row } = await stand.files();
    const key = signer('key-1', 'EdDSA');
    const { id } = await addMachine(stand, [key.jwk]);
    const issuer = new URL(stand.issuer);
    const http = { [oauth.allowInsecureRequests]: true };
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...http }));
    const client = { client_id: id };
    const ask = async (authentication: oauth.ClientAuth) => {
      const response = await oauth.clientCredentialsGrantRequest(as, client, authentication, { resource: row.resource }, http);
      return oauth.processClientCredentialsResponse(as, client, response);
    };
    const own = { key: await cryptoKey(key.privateKey), kid: key.kid };

    const tokens = await ask(oauth.PrivateKeyJwt(own));

    assert.deepEqual([tokens.token_type, tokens.scope], ['bearer', 'files:read']);
    const elsewhere = oauth.PrivateKeyJwt(own, {
      [oauth.modifyAssertion]: (_header, payload) => {
        payload.aud = as.token_endpoint ?? '';
      },
    });
    await assert.rejects(ask(elsewhere), { code: oauth.WWW_AUTHENTICATE_CHALLENGE, status: 401 });
  });
});

function pem(key: KeyObject): string {
  return String(key.export({ type: 'pkcs8', format: 'pem' }));
}

/** Both libraries take keys of the Web Crypto API. */
async function cryptoKey(key: KeyObject): Promise<CryptoKey> {
  const algorithm = key.asymmetricKeyType === 'ed25519' ? 'Ed25519' : { name: 'ECDSA', namedCurve: 'P-256' };
  return crypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), algorithm, false, ['sign']);
}
