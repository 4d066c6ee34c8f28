/**
 * Who is calling the back channel: a client with its secret (client_secret_basic, client_secret_post), with its key (private_key_jwt), or a public one by its id
 * (OAuth 2.1 §2.4). Unknown, removed, expired and wrong look the same from outside. Not here: API keys of MCP servers (api-key.ts), what an assertion must say
 * (client-assertion.ts), finding clients (clients/find.ts).
 */
import { addressBucket } from '../clients/address-bucket.ts';
import { findClientForToken } from '../clients/find.ts';
import { clientSecretHash } from '../clients/secret.ts';
import type { Context, Exchange } from '../context.ts';
import { equalSecrets, sha256 } from '../crypto/hash.ts';
import { OAuthError } from '../errors.ts';
import type { Parameters } from '../rules/parameters.ts';
import type { Client } from '../storage/store.ts';
import { claimedClientId, clientAssertionType, type Proof, proveByAssertion } from './client-assertion.ts';
import { secretGuesses } from './secret-guesses.ts';

type Credentials = { id: string; secret?: string };

/** Has the length of every stored secret hash and matches none: unknown clients take the same path as known ones. */
const decoy = sha256('no client has this secret');

/**
 * Finds the client that makes a back-channel request and checks that it is the one it says.
 *
 * @throws {OAuthError} invalid_client whatever the reason, too_many_requests while guesses are slowed down, invalid_request on two ways of authentication.
 */
export async function authenticateClient(exchange: Exchange, parameters: Parameters, context: Context): Promise<Client> {
  const authorization = exchange.request.headers.get('authorization');
  refuseTwoWays(authorization, parameters);
  if (isAsserted(parameters)) return assertedClient(exchange, parameters, context);
  const presented = presentedCredentials(authorization, parameters);
  const [first] = presented;
  if (!first) throw refused('no client authentication');
  if (first.secret === undefined) {
    const client = await publicClient(first.id, context);
    if (!client) throw refused('unknown client, or one that has a secret or a key');
    return client;
  }
  return guarded(exchange, context, first.id, () => proveBySecret(presented, context));
}

/** CA-11: guesses are counted for client and address together, so that nobody can lock the good client out from elsewhere. */
async function guarded(exchange: Exchange, context: Context, id: string, prove: () => Promise<Proof>): Promise<Client> {
  const guesses = secretGuesses(context);
  const bucket = bucketOf(id, exchange.address);
  guesses.refuseBlocked(bucket);
  const proof = await prove();
  if ('client' in proof) {
    await guesses.forgive(bucket);
    return proof.client;
  }
  await guesses.countFailure(bucket);
  throw refused(proof.refused);
}

/** CC-04: `client_id` may be left out, the assertion names the client. */
function assertedClient(exchange: Exchange, parameters: Parameters, context: Context): Promise<Client> {
  const assertion = parameters.get('client_assertion');
  if (assertion === undefined || parameters.get('client_assertion_type') !== clientAssertionType) throw refused('half an assertion, or of another type');
  const id = claimedClientId(assertion);
  if (id === undefined) throw refused('the assertion cannot be read');
  if ((parameters.get('client_id') ?? id) !== id) throw new OAuthError('invalid_request', 'client_id differs from the authenticated client');
  return guarded(exchange, context, id, () => proveByAssertion(id, assertion, context));
}

async function proveBySecret(presented: Credentials[], context: Context): Promise<Proof> {
  for (const { id, secret } of presented) {
    const client = await clientWithSecret(id, secret ?? '', context);
    if (client) return { client };
  }
  return { refused: 'unknown client or wrong secret' };
}

/** Ids are hashed into 4096 buckets per address: made-up ids must not fill the database, and known ones must not count differently (RATE-05). */
function bucketOf(id: string, address: string): string {
  return `${addressBucket(address)} ${sha256(id).slice(0, 2)}`;
}

async function publicClient(id: string, context: Context): Promise<Client | undefined> {
  const client = await activeClient(id, context);
  return client?.metadata.tokenEndpointAuthMethod === 'none' ? client : undefined;
}

async function clientWithSecret(id: string, secret: string, context: Context): Promise<Client | undefined> {
  const client = await activeClient(id, context);
  const matches = matchesLivingSecret(clientSecretHash(context, id, secret), client, context.now());
  return matches && client && mayUseSecret(client) ? client : undefined;
}

/** CA-14: a client that changes its secret has two for a while. */
function matchesLivingSecret(hash: string, client: Client | undefined, now: number): boolean {
  if (equalSecrets(hash, client?.secretHash ?? decoy)) return lives(client?.secretExpiresAt, now);
  return client?.olderSecretHash !== undefined && equalSecrets(hash, client.olderSecretHash) && lives(client.olderSecretExpiresAt, now);
}

function lives(expiresAt: number | undefined, now: number): boolean {
  return !expiresAt || expiresAt > now;
}

/** CA-05: basic and post are interchangeable; a public client never becomes confidential by sending something. */
function mayUseSecret({ metadata }: Client): boolean {
  const method = metadata.tokenEndpointAuthMethod;
  return method === 'client_secret_basic' || method === 'client_secret_post';
}

async function activeClient(id: string, context: Context): Promise<Client | undefined> {
  const found = await findClientForToken(id, context);
  return found.state === 'active' ? found.client : undefined;
}

/** CA-04. */
function refuseTwoWays(authorization: string | null, parameters: Parameters): void {
  const ways = [authorization !== null, parameters.get('client_secret') !== undefined, isAsserted(parameters)].filter((used) => used).length;
  if (ways > 1) throw new OAuthError('invalid_request', 'Use one way of client authentication, not two');
}

function isAsserted(parameters: Parameters): boolean {
  return (parameters.get('client_assertion') ?? parameters.get('client_assertion_type')) !== undefined;
}

/** What was presented; two readings of one Basic header when they differ. Empty when nothing was. */
function presentedCredentials(authorization: string | null, parameters: Parameters): Credentials[] {
  const id = parameters.get('client_id');
  const secret = parameters.get('client_secret');
  if (authorization !== null) return basicCredentials(authorization, id);
  if (id === undefined && secret !== undefined) throw new OAuthError('invalid_request', 'client_id is required');
  return id === undefined ? [] : [{ id, secret }];
}

/**
 * RFC 6749 §2.3.1 has id and secret form-encoded inside Basic; the Python SDK does that, the TypeScript SDK does not. Values we generate read the same
 * both ways; for others both readings are tried (CA-02).
 */
function basicCredentials(authorization: string, bodyId: string | undefined): Credentials[] {
  const encoded = /^Basic +([A-Za-z0-9+/_-]+={0,2}) *$/i.exec(authorization)?.[1];
  const pair = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 1) throw refused('Authorization is not Basic with id and secret');
  const raw = credentials(pair.slice(0, colon), pair.slice(colon + 1));
  const decoded = /[%+]/.test(pair) ? formDecoded(raw) : undefined;
  const readings = decoded ? [decoded, raw] : [raw];
  if (bodyId === undefined) return readings;
  const agreeing = readings.filter((reading) => reading.id === bodyId);
  if (agreeing.length === 0) throw new OAuthError('invalid_request', 'client_id differs from the authenticated client');
  return agreeing;
}

function formDecoded({ id, secret }: Credentials): Credentials | undefined {
  try {
    const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '));
    return credentials(decode(id), decode(secret ?? ''));
  } catch {
    return undefined;
  }
}

function credentials(id: string, secret: string): Credentials {
  return { id, secret: secret === '' ? undefined : secret };
}

/** RFC 9110 §11.6.1: a 401 names a scheme, whatever was used. `reason` is for the log. */
function refused(reason: string): OAuthError {
  return new OAuthError('invalid_client', 'Client authentication failed', {
    cause: reason,
    headers: { 'WWW-Authenticate': 'Basic realm="clients", charset="UTF-8"' },
  });
}
