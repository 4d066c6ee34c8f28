/**
 * Verifies an RFC 9068 access token here, without asking the authorization server. The order is RS-07: size, parse, typ, algorithm, key, signature; then
 * verify.ts judges issuer, audience, times and key binding. Revocation is not seen before `exp`.
 */
import { compactVerify, decodeJwt, decodeProtectedHeader, errors } from 'jose';
import { isBearerToken } from './credentials.ts';
import { AuthAgentError, AuthenticationError } from './errors.ts';
import type { KeySource } from './jwks.ts';

/** Asymmetric only: `none` and HMAC with a public key as its secret are the classic forgeries (RFC 8725 §2.1). */
const algorithms = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'];

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Checks form and signature and returns the unjudged claims.
 *
 * @throws {AuthenticationError} invalid_token, whatever the reason.
 * @throws {AuthServerUnavailable} when the keys cannot be fetched.
 */
export async function verifiedClaims(token: string, findKey: KeySource): Promise<Record<string, unknown>> {
  checkHeader(token);
  return parseClaims(await verifySignature(token, findKey));
}

/**
 * What a token says of itself. Anybody can write that: it decides nothing, it only helps the developer. Of plain values only: what is nested may be nested so
 * deep that nobody gets to its end.
 */
export function unverifiedClaims(token: string): Record<string, unknown> | undefined {
  try {
    const plain = Object.entries(decodeJwt(token)).filter(([, value]) => [value].flat().every((one) => typeof one !== 'object'));
    return plain.length > 0 ? Object.fromEntries(plain) : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 9068 §4, RFC 8725 §3: what can be refused before any key is looked at. @throws {AuthenticationError} invalid_token. */
export function checkHeader(token: string): void {
  if (!isBearerToken(token)) throw invalid('malformed');
  const header = parseHeader(token);
  if (typeof header.typ !== 'string' || !/^(application\/)?at\+jwt$/i.test(header.typ)) throw invalid('typ');
  if (typeof header.alg !== 'string' || !algorithms.includes(header.alg)) throw invalid('alg');
  // No extension is understood here, so none may be critical (RFC 7515 §4.1.11).
  if (header.crit !== undefined || header.b64 !== undefined) throw invalid('crit');
  if (typeof header.kid !== 'string' || header.kid === '') throw invalid('kid');
}

function parseHeader(token: string): Record<string, unknown> {
  try {
    return decodeProtectedHeader(token);
  } catch (cause) {
    throw invalid('malformed', cause);
  }
}

async function verifySignature(token: string, findKey: KeySource): Promise<Uint8Array> {
  try {
    return (await compactVerify(token, findKey, { algorithms })).payload;
  } catch (error) {
    if (error instanceof AuthAgentError) throw error;
    if (error instanceof errors.JOSEError || error instanceof TypeError) throw invalid('signature', error);
    throw error;
  }
}

function parseClaims(payload: Uint8Array): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(utf8.decode(payload));
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return claims as Record<string, unknown>;
  } catch (cause) {
    throw invalid('malformed', cause);
  }
  throw invalid('malformed');
}

function invalid(reason: string, cause?: unknown): AuthenticationError {
  return new AuthenticationError('invalid_token', reason, { cause });
}
