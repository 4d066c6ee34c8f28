/**
 * The only place where access and ID tokens are made. Access tokens are RFC 9068 JWTs and are not stored; ID tokens follow OIDC Core §2 and are RS256,
 * which every relying party can verify, unless the client registered another algorithm. Refresh token values: refresh-token-value.ts. Who may have one: grants/.
 */
import { responseAlgorithm } from '../clients/response-algorithm.ts';
import { subjectFor } from '../clients/sector.ts';
import type { Context } from '../context.ts';
import { leftHalf } from '../crypto/hash.ts';
import type { Claims } from '../crypto/jwt.ts';
import { randomIdAt } from '../crypto/random.ts';
import type { KeySet } from '../crypto/signing-keys.ts';
import { OAuthError } from '../errors.ts';
import { type Answer, json } from '../route.ts';
import { acrOf } from '../rules/acr.ts';
import { maxTokenLength } from '../rules/token-size.ts';
import type { Client } from '../storage/store.ts';
import { rememberIssued } from './access-token.ts';
import { type Delegation, delegationClaims } from './delegation.ts';
import { accessTokenType } from './exchange/token-type.ts';

export type Issue = {
  grantId: string;
  /** `usr_…`, or the client id for a machine. */
  subject: string;
  clientId: string;
  /** Canonical id of the one resource the token is for. */
  resource: string;
  scope: readonly string[];
  /** When the person signed in; absent for machines. */
  authTime?: number;
  /** How they did (RFC 8176); the level follows from it. */
  amr?: readonly string[];
  /** When the grant ends: no token outlives it. */
  grantExpiresAt?: number;
  refreshToken?: string;
  /** Thumbprint of the key that the access token is bound to: what `spendProof` resolved to (RFC 9449 §6.1). Undefined makes a Bearer token. */
  dpopJkt: string | undefined;
  /** Present when another token was exchanged for this one (RFC 8693). */
  delegation?: Delegation;
  /** Present when an ID token is due. */
  idToken?: { client: Client; nonce?: string; sid?: string };
};

/** Signs the tokens and makes the answer of the token endpoint (OAuth 2.1 §3.2.3). */
export async function issue(given: Issue, context: Context): Promise<Answer> {
  const keys = await context.signing.current();
  const now = context.now();
  const expiresAt = Math.min(now + context.options.accessTokenSeconds, given.grantExpiresAt ?? Number.POSITIVE_INFINITY);
  const claims = accessTokenClaims(given, { now, expiresAt, issuer: context.issuer });
  const accessToken = signAccessToken(claims, keys);
  rememberIssued(accessToken, keys, context);
  return json({
    access_token: accessToken,
    token_type: given.dpopJkt === undefined ? 'Bearer' : 'DPoP',
    issued_token_type: given.delegation && accessTokenType,
    expires_in: expiresAt - now,
    scope: given.scope.join(' '),
    refresh_token: given.refreshToken,
    id_token: given.idToken && signIdToken({ ...given, ...given.idToken }, { accessToken, keys, now, expiresAt }, context),
  });
}

type When = { now: number; expiresAt: number; issuer: string };

/** RFC 9068 §2.2. `grant_id` is ours: it lets one question answer whether the token still stands. */
function accessTokenClaims(given: Issue, { now, expiresAt, issuer }: When): Claims {
  return {
    iss: issuer,
    sub: given.subject,
    aud: given.resource,
    client_id: given.clientId,
    scope: given.scope.join(' '),
    exp: expiresAt,
    iat: now,
    jti: randomIdAt('', now, 10),
    grant_id: given.grantId,
    auth_time: given.authTime,
    cnf: given.dpopJkt === undefined ? undefined : { jkt: given.dpopJkt },
    ...(given.delegation && delegationClaims(given.delegation)),
    acr: acrOf(given.amr),
    amr: given.amr,
  };
}

function signAccessToken(claims: Claims, keys: KeySet): string {
  const token = keys.sign('at+jwt', claims);
  if (token.length > maxTokenLength) throw new OAuthError('invalid_scope', 'Too many scopes for one token');
  return token;
}

type Beside = { accessToken: string; keys: KeySet; now: number; expiresAt: number };

/** OIDC Core §2, §3.1.3.6. Name and e-mail are at /userinfo, not here (JWT-05). */
function signIdToken(given: Issue & NonNullable<Issue['idToken']>, { accessToken, keys, now, expiresAt }: Beside, context: Context): string {
  const algorithm = responseAlgorithm(given.client.metadata.idTokenSignedResponseAlg, context.options);
  const claims = {
    iss: context.issuer,
    sub: subjectFor(given.client, given.subject, context),
    aud: given.clientId,
    exp: expiresAt,
    iat: now,
    auth_time: given.authTime,
    acr: acrOf(given.amr),
    amr: given.amr,
    nonce: given.nonce,
    sid: given.sid,
    at_hash: leftHalf(accessToken, algorithm),
  };
  return keys.sign('JWT', claims, algorithm);
}
