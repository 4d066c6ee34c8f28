/**
 * Reads access tokens that this server issued (RFC 9068 §4): ours by signature, an access token by type, of this issuer, not yet ended. Whether its grant
 * still stands is the store's to say. Verified tokens are remembered, because a signature costs more than everything else that /introspect does.
 */
import type { Context } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import { type Claims, jwtClaims } from '../crypto/jwt.ts';
import type { KeySet } from '../crypto/signing-keys.ts';
import { type Delegation, delegationOf } from './delegation.ts';

export type AccessToken = {
  jti: string;
  grantId: string;
  subject: string;
  clientId: string;
  audience: string;
  scope: string;
  issuedAt: number;
  expiresAt: number;
  authTime?: number;
  /** Thumbprint of the key it is bound to (RFC 9449 §6.1). */
  jkt?: string;
  /** Present when somebody acts through somebody else (RFC 8693). */
  delegation?: Delegation;
  acr?: string;
  amr?: string[];
};

/** Tokens in a generation; two are remembered per tenant, at about 0.1 KB a token, since only the hash is kept. */
const generation = 50_000;
/** Hashes of tokens whose signature is known to be good. When `young` is full it becomes `old`, and what was old is forgotten. */
type Verified = { keys: KeySet; young: Set<string>; old: Set<string> };
const verifiedOf = new WeakMap<Context, Verified>();

/**
 * The access token, or undefined when it is not one of ours, or has ended; which of them is nobody's business. `beforeVerifying` is called for tokens this node
 * does not remember, before a signature is checked, and may throw.
 */
export async function readAccessToken(token: string, context: Context, beforeVerifying?: () => void): Promise<AccessToken | undefined> {
  const keys = await context.signing.current();
  const verified = verifiedUnder(keys, context);
  const hash = sha256(token);
  const known = verified.young.has(hash) || verified.old.has(hash);
  if (!known) beforeVerifying?.();
  const read = known ? accessTokenOf(jwtClaims(token)) : fromClaims(keys.verify(token) ?? (await context.signing.verifyNewer(token)), context);
  if (!read || read.expiresAt <= context.now()) return undefined;
  if (!known) remember(hash, verified);
  return read;
}

/** Remembers a token that this node has signed just now: what it signed it need not verify. */
export function rememberIssued(token: string, keys: KeySet, context: Context): void {
  remember(sha256(token), verifiedUnder(keys, context));
}

function remember(hash: string, verified: Verified): void {
  if (verified.young.size >= generation) {
    verified.old = verified.young;
    verified.young = new Set();
  }
  verified.young.add(hash);
}

/** What was verified under keys that are no longer all published is forgotten: a dropped key's tokens fail at once (KEY-03). */
function verifiedUnder(keys: KeySet, context: Context): Verified {
  const verified = verifiedOf.get(context);
  if (verified?.keys === keys) return verified;
  const same = verified?.keys.jwks === keys.jwks;
  const fresh = { keys, young: same ? verified.young : new Set<string>(), old: same ? verified.old : new Set<string>() };
  verifiedOf.set(context, fresh);
  return fresh;
}

/** RFC 9068 §4: `typ` tells an access token from an ID token that the same key signed. */
function fromClaims(jwt: ReturnType<KeySet['verify']>, context: Context): AccessToken | undefined {
  if (jwt?.header.typ !== 'at+jwt' || jwt.claims.iss !== context.issuer) return undefined;
  return accessTokenOf(jwt.claims);
}

function accessTokenOf(claims: Claims): AccessToken {
  return {
    jti: text(claims, 'jti'),
    grantId: text(claims, 'grant_id'),
    subject: text(claims, 'sub'),
    clientId: text(claims, 'client_id'),
    audience: text(claims, 'aud'),
    scope: text(claims, 'scope'),
    issuedAt: Number(claims.iat),
    expiresAt: Number(claims.exp),
    authTime: claims.auth_time === undefined ? undefined : Number(claims.auth_time),
    jkt: claims.cnf === undefined ? undefined : text(claims.cnf as Claims, 'jkt'),
    delegation: delegationOf(claims),
    acr: claims.acr as string | undefined,
    amr: claims.amr as string[] | undefined,
  };
}

/** Our own signature vouches for the shape. */
function text(claims: Claims, name: string): string {
  return String(claims[name]);
}
