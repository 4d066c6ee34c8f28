/**
 * Judges a DPoP proof against the request it came with (RFC 9449 §4.3, §7.1): form, key, signature, then the claims. Pure but for the signature, which is jose's.
 * Not here: whether the proof was seen before, nonces (dpop.ts).
 */
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose';
import { AuthenticationError } from './errors.ts';

/** What proofs may be signed with; metadata and challenges name the same list. */
export const proofAlgorithms: readonly string[] = ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'RS256'];

/** The request a proof must be for. */
export interface ProvenRequest {
  readonly method: string;
  /** Public address of the request. */
  readonly url: string;
  /** SHA-256 of the access token, base64url: what `ath` must be. */
  readonly tokenHash: string;
  /** Thumbprint of the key that the access token is bound to. */
  readonly jkt: string;
  /** Epoch seconds. */
  readonly now: number;
}

/** What is left to check. `expiresAt`: epoch seconds, when the proof's own age will have it refused. */
export interface JudgedProof {
  readonly jti: string;
  readonly expiresAt: number;
  readonly nonce?: string;
}

/** Seconds that clocks may differ (SEP-1932). */
const clockSkewSeconds = 300;
const maxProofLength = 4096;
const maxJtiBytes = 128;
const compactForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const rsaModulus = /^[A-Za-z0-9_-]{342,683}$/;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Judges the value of the DPoP header; several headers must arrive joined by a comma.
 *
 * @throws {AuthenticationError} invalid_dpop_proof, or invalid_token when the proof is good but by another key than the token's.
 */
export async function judgeProof(proof: string | null, request: ProvenRequest): Promise<JudgedProof> {
  if (proof === null) throw invalid('missing');
  if (proof.length > maxProofLength || !compactForm.test(proof)) throw invalid('malformed');
  const { jwk, alg } = judgeHeader(proof);
  const judged = judgeClaims(await verifiedClaims(proof, jwk, alg), request);
  if ((await calculateJwkThumbprint(jwk)) !== request.jkt) throw new AuthenticationError('invalid_token', 'other_key', { scheme: 'DPoP' });
  return judged;
}

function judgeHeader(proof: string): { jwk: JWK; alg: string } {
  const { typ, alg, jwk, crit } = headerOf(proof);
  if (typ !== 'dpop+jwt') throw invalid('typ');
  if (typeof alg !== 'string' || !proofAlgorithms.includes(alg)) throw invalid('alg');
  if (crit !== undefined) throw invalid('crit');
  if (!isPublicKey(jwk)) throw invalid('jwk');
  return { jwk, alg };
}

function headerOf(proof: string): Record<string, unknown> {
  try {
    return decodeProtectedHeader(proof);
  } catch (cause) {
    throw invalid('malformed', cause);
  }
}

/** A stranger chooses this key: none that is symmetric or private, no RSA key whose verification is made to be slow. */
function isPublicKey(jwk: unknown): jwk is JWK {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return false;
  const key = jwk as Record<string, unknown>;
  if (privateMembers.some((member) => member in key)) return false;
  if (key.kty === 'RSA') return key.e === 'AQAB' && typeof key.n === 'string' && rsaModulus.test(key.n);
  return key.kty === 'EC' || key.kty === 'OKP';
}

async function verifiedClaims(proof: string, jwk: JWK, alg: string): Promise<Record<string, unknown>> {
  try {
    const { payload } = await compactVerify(proof, await importJWK(jwk, alg), { algorithms: [alg] });
    const claims: unknown = JSON.parse(utf8.decode(payload));
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return claims as Record<string, unknown>;
  } catch (cause) {
    throw invalid('signature', cause);
  }
  throw invalid('malformed');
}

function judgeClaims(claims: Record<string, unknown>, { method, url, tokenHash, now }: ProvenRequest): JudgedProof {
  const { htm, htu, iat, jti, ath, nonce } = claims;
  if (htm !== method) throw invalid('htm');
  if (typeof htu !== 'string' || !isAddressOf(htu, url)) throw invalid('htu');
  if (typeof iat !== 'number' || !Number.isFinite(iat) || Math.abs(now - iat) > clockSkewSeconds) throw invalid('iat');
  if (typeof jti !== 'string' || jti === '' || new TextEncoder().encode(jti).length > maxJtiBytes) throw invalid('jti');
  if (ath !== tokenHash) throw invalid('ath');
  if (nonce !== undefined && typeof nonce !== 'string') throw invalid('nonce');
  return { jti, expiresAt: Math.floor(iat) + clockSkewSeconds + 1, ...(nonce !== undefined && { nonce }) };
}

/** RFC 9449 §4.3: without query and fragment; scheme, host and default port as URLs compare, the path as it is. */
function isAddressOf(htu: string, url: string): boolean {
  if (!/^https?:\/\//i.test(htu) || !URL.canParse(htu)) return false;
  const [said, meant] = [new URL(htu), new URL(url)];
  return said.origin === meant.origin && said.pathname === meant.pathname && said.username === '' && said.password === '';
}

function invalid(reason: string, cause?: unknown): AuthenticationError {
  return new AuthenticationError('invalid_dpop_proof', reason, { cause, scheme: 'DPoP' });
}
