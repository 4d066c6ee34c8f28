/**
 * Pushed authorization requests (RFC 9126): POST /par checks a request before any browser is involved and answers with a reference; /authorize begins with it.
 * Every check of /authorize runs here, and fails as JSON. Not here: the checks (parameters.ts, request.ts), client authentication (token/client-auth.ts).
 */
import { addressBucket } from '../clients/address-bucket.ts';
import { findClient } from '../clients/find.ts';
import type { Context, Exchange } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import { randomId } from '../crypto/random.ts';
import { OAuthError } from '../errors.ts';
import { type Answer, json } from '../route.ts';
import { type Parameters, parametersFromForm } from '../rules/parameters.ts';
import type { AuthorizationRequest, Client } from '../storage/store.ts';
import { readBackChannel } from '../token/back-channel.ts';
import { authenticateClient } from '../token/client-auth.ts';
import { type Proof, presentedProof, spendProof, withNextNonce } from '../token/dpop.ts';
import { type Asking, askingOf, identify } from './parameters.ts';
import { checkRequest } from './request.ts';

/** RFC 9126 §2.2: the form of reference that says where it came from. */
const prefix = 'urn:ietf:params:oauth:request_uri:';

/** POST /par. @throws {OAuthError} whatever /token says of the client and /authorize of the request. */
export async function pushRequest(exchange: Exchange, context: Context): Promise<Answer> {
  const given = await readBackChannel(exchange, 'form');
  await meet(given.get('client_id'), exchange, context);
  const client = await authenticateClient(exchange, given, context);

  await takeAllowance(client, exchange, context);
  const proof = await presentedProof(exchange, { nonces: 'authorization server' }, context);
  const request = boundBy(proof, await checkPushed(given, client, context));

  await spendProof(proof, context);
  const reference = randomId('', 32);
  const now = context.now();
  const { pushedRequestSeconds } = context.options;
  await context.store.pushRequest({ referenceHash: sha256(reference), request, createdAt: now, expiresAt: now + pushedRequestSeconds });
  return withNextNonce(json({ request_uri: prefix + reference, expires_in: pushedRequestSeconds }, 201), proof);
}

/** The back channel never fetches a client's metadata document; here, as at /authorize, it may be the first that this server hears of the client. */
async function meet(clientId: string | undefined, { address }: Exchange, context: Context): Promise<void> {
  if (!clientId?.startsWith('https://')) return;
  const found = await findClient(clientId, context, address);
  if (found.state === 'unavailable') throw found.error;
}

/** A public client proves nothing: by its name alone anybody could use up what its people need (RATE-03). */
async function takeAllowance({ id, metadata }: Client, { address }: Exchange, context: Context): Promise<void> {
  const isPublic = metadata.tokenEndpointAuthMethod === 'none';
  await context.limits.check('par.client', isPublic ? `${sha256(id)} ${addressBucket(address)}` : sha256(id));
}

/** RFC 9126 §2.1: "The request_uri authorization request parameter is one exception, and it MUST NOT be provided"; §2.3: a wrong redirect URI is invalid_request. */
async function checkPushed(given: Parameters, client: Client, context: Context): Promise<AuthorizationRequest> {
  if (given.get('request_uri') !== undefined) throw new OAuthError('invalid_request', 'request_uri may not be pushed');
  try {
    return await checkRequest(given, askingOf(given, client), context);
  } catch (error) {
    if (!(error instanceof OAuthError) || error.code !== 'invalid_redirect_uri') throw error;
    throw new OAuthError('invalid_request', error.message);
  }
}

/** RFC 9449 §10.1: a proof that comes with the request binds the code like `dpop_jkt`; if both are there, they name one key. @throws {OAuthError} invalid_request */
function boundBy(proof: Proof | undefined, request: AuthorizationRequest): AuthorizationRequest {
  if (!proof) return request;
  if (request.dpopJkt !== undefined && request.dpopJkt !== proof.jkt) throw new OAuthError('invalid_request', 'dpop_jkt is not the key of the DPoP proof');
  return { ...request, dpopJkt: proof.jkt };
}

/** A request as it arrives at /authorize: who asks, and how to read the rest, whose errors may travel to the client. */
export type Arrival = { asking: Asking; read: () => Promise<AuthorizationRequest> };

/** Whether a request names one that was pushed. With a request object beside it, it is an ordinary wrong request. */
export function isByReference(given: Parameters): boolean {
  return given.get('request_uri')?.startsWith(prefix) === true && given.get('request') === undefined;
}

/**
 * RFC 9126 §4: of such a request only client_id and request_uri are read. Unknown, ended, answered and of another client look alike (AZ-25).
 *
 * @throws {OAuthError} invalid_request_uri, for a page: nobody knows yet whose the request is.
 */
export async function byReference(given: Parameters, exchange: Exchange, context: Context): Promise<Arrival> {
  if (given.repeated.includes('client_id') || given.repeated.includes('request_uri'))
    throw new OAuthError('invalid_request', 'client_id or request_uri is repeated');
  const clientId = given.get('client_id');
  if (clientId === undefined) throw new OAuthError('invalid_request', 'client_id is required');
  const referenceHash = sha256((given.get('request_uri') ?? '').slice(prefix.length));
  const pushed = await context.store.findPushedRequest(referenceHash, context.now());
  if (pushed?.request.clientId !== clientId)
    throw new OAuthError('invalid_request_uri', 'The pushed request is unknown, too old, answered, or of another client');

  const { request } = pushed;
  // The client may have changed since: its redirect URI is compared again.
  const sent = new URLSearchParams({ client_id: clientId, redirect_uri: request.redirectUri, state: request.state ?? '' });
  const asking = { ...(await identify(parametersFromForm(sent.toString()), exchange, context)), responseMode: request.responseMode };
  const read = async () => {
    if (asking.gone) throw new OAuthError('unauthorized_client', 'The registration of this client is gone, register again');
    return { ...request, pushedHash: referenceHash };
  };
  return { asking, read };
}
