/**
 * One sign-in: the authorization request with PKCE and resource (OAuth 2.1 §4.1, RFC 8707), what the answer is worth (state, RFC 9207), and the code redeemed.
 */
import { randomBytes } from 'node:crypto';
import {
  type AuthorizationServerMetadata,
  exchangeAuthorization,
  IssuerMismatchError,
  OAuthError,
  startAuthorization,
  validateAuthorizationResponseIssuer,
} from '@modelcontextprotocol/client';
import { Failure } from '../exit-codes.ts';
import { safe } from '../terminal.ts';
import { type Fetch, isLoopback } from './guarded-fetch.ts';
import { type ProofKey, provingFetch } from './proof-key.ts';
import type { Answer, Reception } from './reception.ts';
import { authenticate } from './registration.ts';
import type { KeptClient, KeptTokens } from './store.ts';

export type SignIn = {
  metadata: AuthorizationServerMetadata;
  client: KeptClient;
  reception: Reception;
  scope?: string;
  /** As the resource metadata has it, byte for byte; undefined for a server without an address. */
  resource?: string;
  /** RFC 9470 §4: passed on when the server asked for a stronger sign-in. */
  stronger?: { acrValues?: string; maxAge?: string };
  /** Binds code and tokens to this key (RFC 9449). */
  proofKey?: ProofKey;
  fetch: Fetch;
  /** Seconds. */
  now: number;
};

/** Sends the person to sign in and comes back with tokens. @throws {Failure} denied, refused, timedOut. @throws the SDK's OAuthError of the token endpoint. */
export async function signIn({ metadata, client, reception, scope, resource, stronger, proofKey, fetch, now }: SignIn): Promise<KeptTokens> {
  const state = randomBytes(32).toString('base64url');
  const clientInformation = { client_id: client.clientId };
  const indicator = resource as unknown as URL | undefined;
  const { authorizationUrl, codeVerifier } = await startAuthorization(metadata.issuer, {
    metadata,
    clientInformation,
    redirectUrl: client.redirectUri,
    scope,
    state,
    // The SDK takes the text as it is and only its type says URL, which would add a slash to a bare origin.
    resource: indicator,
  });
  if (stronger?.acrValues) authorizationUrl.searchParams.set('acr_values', stronger.acrValues);
  if (stronger?.maxAge) authorizationUrl.searchParams.set('max_age', stronger.maxAge);
  if (proofKey) authorizationUrl.searchParams.set('dpop_jkt', proofKey.thumbprint);
  if (authorizationUrl.protocol !== 'https:' && !(authorizationUrl.protocol === 'http:' && isLoopback(authorizationUrl))) {
    throw new Failure('refused', `${safe(metadata.issuer)} would have ${safe(authorizationUrl.origin)} opened`, {
      why: 'A sign-in page is https, or on this computer.',
    });
  }

  const answer = await reception.receive(authorizationUrl, state);
  const { code, iss } = codeOf(answer, { state, metadata });
  const tokens = await exchangeAuthorization(metadata.issuer, {
    // A bare code came through the person's hands, beside any response that could carry iss.
    metadata: answer.bareCode ? { ...metadata, authorization_response_iss_parameter_supported: false } : metadata,
    clientInformation,
    authorizationCode: code,
    iss,
    codeVerifier,
    redirectUri: client.redirectUri,
    resource: indicator,
    addClientAuthentication: authenticate(client),
    fetchFn: proofKey ? provingFetch(fetch, proofKey, now) : fetch,
  });
  return keptTokens(tokens, { requestedScope: scope, proofKey, now });
}

type TokenAnswer = { access_token: string; token_type: string; refresh_token?: string; expires_in?: number; scope?: string };

/** What is kept of a token answer. RFC 6749 §5.1: no scope means what was asked for. RFC 9449 §5: a token of type Bearer is not bound, whatever was asked for. */
export function keptTokens(answer: TokenAnswer, { requestedScope, proofKey, now }: { requestedScope?: string; proofKey?: ProofKey; now: number }): KeptTokens {
  const expected = proofKey ? 'DPoP' : 'Bearer';
  if (answer.token_type.toLowerCase() !== expected.toLowerCase())
    throw new Failure('refused', `The token is of type ${safe(answer.token_type)}, not ${expected}`);
  return {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token,
    expiresAt: answer.expires_in === undefined ? undefined : now + answer.expires_in,
    scope: answer.scope ?? requestedScope,
    requestedScope,
    ...(proofKey && { proofKey: proofKey.jwk }),
  };
}

/** state first, then iss in its four cases; before both hold, nothing of the answer is shown or redeemed. */
export function codeOf({ parameters, bareCode }: Answer, { state, metadata }: { state: string; metadata: AuthorizationServerMetadata }) {
  const code = parameters.get('code');
  if (bareCode && code) return { code, iss: undefined };
  if (parameters.getAll('state').join() !== state || !['code', 'iss', 'error'].every((name) => parameters.getAll(name).length < 2))
    throw new Failure('refused', 'The answer does not belong to this sign-in', { why: 'Its state is not ours.', fix: 'Run the command again' });
  const iss = parameters.get('iss') ?? undefined;
  checkIssuer(iss, metadata);
  const error = parameters.get('error');
  if (error !== null) throw refusedBy(error, parameters.get('error_description'));
  if (!code) throw new Failure('refused', 'The answer has neither code nor error');
  return { code, iss };
}

function checkIssuer(iss: string | undefined, metadata: AuthorizationServerMetadata): void {
  const issParameterSupported = metadata['authorization_response_iss_parameter_supported'] === true;
  try {
    validateAuthorizationResponseIssuer({ iss, expectedIssuer: metadata.issuer, issParameterSupported });
  } catch (cause) {
    if (!(cause instanceof IssuerMismatchError)) throw cause;
    throw new Failure('refused', `The answer does not come from ${safe(metadata.issuer)}`, {
      why: 'Another server may have taken part (RFC 9207). Its code was not redeemed.',
      fix: 'Sign in again; if it happens twice, tell whoever runs the server',
      cause,
    });
  }
}

function refusedBy(error: string, description: string | null): Failure {
  const exit = error === 'access_denied' ? 'denied' : 'refused';
  return new Failure(exit, exit === 'denied' ? 'You did not allow it' : `The authorization server refused: ${safe(error).slice(0, 60)}`, {
    why: description === null ? undefined : safe(description).slice(0, 300),
  });
}

/** The failure of a token request, whatever the server answered. */
export function tokenRefusal(error: unknown, who: string): Failure {
  if (error instanceof Failure) return error;
  const fix = 'Sign in again; if it stays so, ask whoever runs the authorization server';
  if (!(error instanceof OAuthError)) return new Failure('failed', `${safe(who)} answered what cannot be understood`, { fix, cause: error });
  return new Failure('refused', `${safe(who)} gave no token: ${safe(String(error.code)).slice(0, 60)}`, {
    why: safe(error.message).slice(0, 300),
    fix,
    cause: error,
  });
}
