/**
 * Who the client is to an authorization server, in the order of MCP "Client Registration Approaches": configured for this issuer, a metadata document where
 * the server takes one, a registration of before, a new one (RFC 7591). And how it proves it at the token endpoint (RFC 6749 §2.3).
 */
import { type AuthorizationServerMetadata, registerClient, selectClientAuthMethod } from '@modelcontextprotocol/client';
import { deviceCodeGrant } from 'auth-agent-mcp-server/node';
import { Failure } from '../exit-codes.ts';
import { safe } from '../terminal.ts';
import type { Fetch } from './guarded-fetch.ts';
import { deviceEndpoint } from './server-metadata.ts';
import type { AuthMethod, CredentialStore, KeptClient } from './store.ts';

/** A client that was registered by hand. With `issuer` it is for that authorization server and no other. */
export type ConfiguredClient = { clientId: string; clientSecret?: string; issuer?: string };
export type ClientOfIssuer = KeptClient & { kind: 'configured' | 'document' | 'registered' };
export type Wanted = {
  metadata: AuthorizationServerMetadata;
  redirectUri: string;
  /** For a sign-in by device code, which comes back nowhere. */
  device?: boolean;
  /** What is about to be asked for; a registration names it as its default. */
  scope?: string;
  configured?: ConfiguredClient;
  /** The https address of our own metadata document. */
  documentUrl?: string;
  store: CredentialStore;
  fetch: Fetch;
};

/** Finds or makes the client for the issuer of `metadata`. @throws {Failure} refused when a configured client is another issuer's; usage when there is no way. */
export async function clientFor(wanted: Wanted): Promise<ClientOfIssuer> {
  const { metadata, configured, documentUrl, redirectUri, store } = wanted;
  const { issuer } = metadata;
  if (configured) return { ...ofConfiguration(configured, metadata), redirectUri, kind: 'configured' };
  if (documentUrl && metadata['client_id_metadata_document_supported'] === true)
    return { clientId: documentUrl, method: 'none', redirectUri, kind: 'document' };
  const kept = Object.hasOwn(store.read().clients, issuer) ? store.read().clients[issuer] : undefined;
  // Some servers compare ports of loopback addresses too, so a registration is good for its own one.
  const fits = wanted.device === true ? kept?.device === true : kept?.redirectUri === redirectUri;
  if (kept && fits) return { ...kept, kind: 'registered' };
  if (metadata.registration_endpoint === undefined) throw noWay(issuer);
  const client = await register(wanted);
  await store.change((all) => {
    all.clients[issuer] = client;
  });
  return { ...client, kind: 'registered' };
}

/** What the SDK calls to put the client's proof on a token request. RFC 6749 §2.3.1: both halves of Basic are form-encoded first. */
export function authenticate({ clientId, clientSecret = '', method }: KeptClient): (headers: Headers, body: URLSearchParams) => void {
  return (headers, body) => {
    if (method === 'client_secret_basic') {
      headers.set('Authorization', `Basic ${Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString('base64')}`);
      return;
    }
    body.set('client_id', clientId);
    if (method === 'client_secret_post') body.set('client_secret', clientSecret);
  };
}

const formEncoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);

function ofConfiguration({ clientId, clientSecret, issuer }: ConfiguredClient, metadata: AuthorizationServerMetadata): Omit<KeptClient, 'redirectUri'> {
  if (issuer !== undefined && issuer !== metadata.issuer) {
    throw new Failure('refused', `The client ${safe(clientId)} is registered at ${safe(issuer)}, but the server now names ${safe(metadata.issuer)}`, {
      why: 'A secret of one authorization server is never sent to another.',
      fix: 'If that is right, change "auth" of this server in the configuration',
    });
  }
  const method = selectClientAuthMethod({ client_id: clientId, client_secret: clientSecret }, metadata.token_endpoint_auth_methods_supported ?? []);
  return { clientId, clientSecret, method: method as AuthMethod };
}

async function register({ metadata, redirectUri, device = false, scope, fetch }: Wanted): Promise<KeptClient> {
  // For both ways where both are offered: a client that changes with the way would lose its refresh tokens.
  const devices = deviceEndpoint(metadata) !== undefined;
  const methods = metadata.token_endpoint_auth_methods_supported;
  const method = (['none', 'client_secret_basic', 'client_secret_post'] as const).find((one) => methods?.includes(one)) ?? 'none';
  const clientMetadata = {
    client_name: 'auth-agent CLI',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token', ...(devices ? [deviceCodeGrant] : [])],
    response_types: ['code'],
    token_endpoint_auth_method: method,
    application_type: 'native' as const,
  };
  const answer = await registerClient(metadata.issuer, { metadata, clientMetadata, scope, fetchFn: fetch }).catch((cause: unknown) => {
    if (cause instanceof Failure) throw cause;
    throw new Failure('refused', `${safe(metadata.issuer)} does not register this client`, {
      why: cause instanceof Error ? safe(cause.message).slice(0, 300) : undefined,
      fix: 'Register one there by hand and pass --client-id, or "client_id" in the configuration',
      cause,
    });
  });
  const given = answer.token_endpoint_auth_method ?? (answer.client_secret === undefined ? 'none' : 'client_secret_basic');
  if (!isMethod(given) || (given !== 'none' && answer.client_secret === undefined))
    throw new Failure('refused', `${safe(metadata.issuer)} registered this client with ${safe(given)}, which it cannot do`);
  const mayUseDevices = devices && (answer.grant_types ?? []).includes(deviceCodeGrant);
  if (device && !mayUseDevices) throw noDevices(metadata.issuer, 'It registered this client without the device grant.');
  return { clientId: answer.client_id, clientSecret: answer.client_secret, method: given, redirectUri, ...(mayUseDevices ? { device: true } : {}) };
}

const isMethod = (text: string): text is AuthMethod => text === 'none' || text === 'client_secret_basic' || text === 'client_secret_post';

/** There is no sign-in by device code to be had there. */
export function noDevices(issuer: string, why: string): Failure {
  return new Failure('refused', `${safe(issuer)} offers no sign-in by device code`, {
    why,
    fix: 'Leave --device out, or pass --client-id of a client that may',
  });
}

function noWay(issuer: string): Failure {
  return new Failure('usage', `${safe(issuer)} registers no clients by itself`, {
    why: 'It takes neither a metadata document of ours nor a registration.',
    fix: 'Register a client there with the redirect URI http://127.0.0.1/callback, then pass --client-id',
  });
}
