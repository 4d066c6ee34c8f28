/**
 * Tokens without a person: client credentials with a secret or a key, the token of a platform (SEP-1933), or the word of a company (MCP Enterprise-Managed
 * Authorization). One request for each step; a refusal is told and never answered with another grant (CL-24).
 */
import { type AuthorizationServerMetadata, createPrivateKeyJwtAuth, OAuthError } from '@modelcontextprotocol/client';
import type { Fetch } from './guarded-fetch.ts';
import { keptTokens } from './sign-in.ts';
import type { KeptTokens } from './store.ts';

/** What a program has to show for itself. */
export type MachineCredentials =
  | { kind: 'secret'; clientId: string; clientSecret: string }
  /** `privateKey` is PEM (PKCS #8). */
  | { kind: 'key'; clientId: string; privateKey: string; algorithm: string }
  | { kind: 'workload'; token: string }
  | { kind: 'company'; clientId: string; clientSecret: string; provider: IdentityProvider };
/** Where somebody signed in, and what came of it. */
export type IdentityProvider = { tokenEndpoint: string; clientId: string; clientSecret?: string; idToken: string };

export type MachineSignIn = {
  metadata: AuthorizationServerMetadata;
  /** As the resource metadata has it, byte for byte. */
  resource: string;
  scope?: string;
  fetch: Fetch;
  /** Seconds. */
  now: number;
};

const bearerGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Gets a token for the resource. @throws the SDK's OAuthError when a server refuses. */
export async function signInMachine(credentials: MachineCredentials, request: MachineSignIn): Promise<KeptTokens> {
  const { metadata, resource, scope, fetch, now } = request;
  const form = new URLSearchParams({ ...(await grantOf(credentials, request)), resource, ...(scope === undefined ? {} : { scope }) });
  const headers = new Headers();
  await authenticate(credentials, { headers, form, metadata });
  const answer = await post(metadata.token_endpoint, { headers, form, fetch });
  return keptTokens(answer as Parameters<typeof keptTokens>[0], { requestedScope: scope, now });
}

async function grantOf(credentials: MachineCredentials, request: MachineSignIn): Promise<Record<string, string>> {
  if (credentials.kind === 'workload') return { grant_type: bearerGrant, assertion: credentials.token };
  if (credentials.kind === 'company') return { grant_type: bearerGrant, assertion: await assertionOf(credentials.provider, request) };
  return { grant_type: 'client_credentials' };
}

async function authenticate(
  credentials: MachineCredentials,
  { headers, form, metadata }: { headers: Headers; form: URLSearchParams } & Pick<MachineSignIn, 'metadata'>,
) {
  if (credentials.kind === 'workload') return;
  if (credentials.kind !== 'key') return basic(headers, credentials.clientId, credentials.clientSecret);
  const { clientId, privateKey, algorithm } = credentials;
  // The audience is the issuer: an assertion for an endpoint could be taken to another server (D7).
  const sign = createPrivateKeyJwtAuth({ issuer: clientId, subject: clientId, privateKey, alg: algorithm, audience: metadata.issuer });
  await sign(headers, form, metadata.token_endpoint, metadata);
}

/** MCP Enterprise-Managed Authorization §4: the provider says to this server, about this resource, who signed in. */
async function assertionOf(
  { tokenEndpoint, clientId, clientSecret, idToken }: IdentityProvider,
  { metadata, resource, scope, fetch }: MachineSignIn,
): Promise<string> {
  const headers = new Headers();
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    requested_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
    audience: metadata.issuer,
    resource,
    subject_token: idToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    ...(scope === undefined ? {} : { scope }),
  });
  if (clientSecret === undefined) form.set('client_id', clientId);
  else basic(headers, clientId, clientSecret);
  const { access_token: assertion, issued_token_type: type } = await post(tokenEndpoint, { headers, form, fetch });
  if (typeof assertion !== 'string' || type !== 'urn:ietf:params:oauth:token-type:id-jag')
    throw new Error('the identity provider issued no identity assertion');
  return assertion;
}

/** RFC 6749 §2.3.1: id and secret are form-encoded first. */
function basic(headers: Headers, id: string, secret: string): void {
  const encoded = [id, secret].map((part) => new URLSearchParams({ part }).toString().slice('part='.length)).join(':');
  headers.set('Authorization', `Basic ${Buffer.from(encoded).toString('base64')}`);
}

type Sending = { headers: Headers; form: URLSearchParams; fetch: Fetch };

async function post(url: string, { headers, form, fetch }: Sending): Promise<Record<string, unknown>> {
  headers.set('Content-Type', 'application/x-www-form-urlencoded');
  headers.set('Accept', 'application/json');
  const response = await fetch(url, { method: 'POST', headers, body: form.toString() });
  const body: unknown = await response.json().catch(() => undefined);
  const members = typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {};
  if (response.status === 200) return members;
  const { error, error_description: description } = members;
  throw new OAuthError(typeof error === 'string' ? error : 'server_error', typeof description === 'string' ? description : `it answered ${response.status}`);
}
