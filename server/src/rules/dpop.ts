/**
 * What the claims of a DPoP proof must say about the request it came with (RFC 9449 §4.3). Pure rules: the claims, the request and `now` in. Not here: key and
 * signature (crypto/dpop-proof.ts), nonces and used ids (token/dpop.ts).
 */
import { sha256 } from '../crypto/hash.ts';
import { OAuthError } from '../errors.ts';

/** The request a proof must be for. */
export type ProvenRequest = {
  method: string;
  /** The public address without query, made from the configured issuer (DPA-08). */
  url: string;
  /** The access token that the proof comes with; absent at the token endpoint. */
  accessToken?: string;
  now: number;
};
/** What is left to check: that the id is new until `expiresAt`, and the nonce where one is demanded. */
export type ProofClaims = { jti: string; expiresAt: number; nonce?: string };

/** Seconds that the clocks of client and server may differ (SEP-1932). */
const clockSkewSeconds = 300;
const maxJtiBytes = 128;
const thumbprint = /^[A-Za-z0-9_-]{43}$/;

/** @throws {OAuthError} invalid_dpop_proof */
export function checkProofClaims(claims: Record<string, unknown>, { method, url, accessToken, now }: ProvenRequest): ProofClaims {
  const { htm, htu, iat, jti, ath, nonce } = claims;
  if (htm !== method) throw invalidProof('its htm is another method');
  if (typeof htu !== 'string' || !isAddressOf(htu, url)) throw invalidProof('its htu is another address');
  if (typeof iat !== 'number' || !Number.isFinite(iat) || Math.abs(now - iat) > clockSkewSeconds) throw invalidProof('its iat is not near the present time');
  if (typeof jti !== 'string' || jti === '' || Buffer.byteLength(jti) > maxJtiBytes) throw invalidProof('its jti is not a string of 1 to 128 bytes');
  if (accessToken !== undefined && ath !== sha256(accessToken)) throw invalidProof('its ath is not of this access token');
  if (nonce !== undefined && typeof nonce !== 'string') throw invalidProof('its nonce is not a string');
  // One second more: a proof is good up to and including the last one.
  return { jti, expiresAt: Math.floor(iat) + clockSkewSeconds + 1, nonce };
}

/** RFC 9449 §10: `dpop_jkt` is the SHA-256 thumbprint of the key that will redeem the code. @throws {OAuthError} invalid_request */
export function checkThumbprint(value: string | undefined): string | undefined {
  if (value !== undefined && !thumbprint.test(value)) throw new OAuthError('invalid_request', 'dpop_jkt must be a SHA-256 thumbprint of 43 characters');
  return value;
}

export function invalidProof(reason: string): OAuthError {
  return new OAuthError('invalid_dpop_proof', `The DPoP proof is not valid: ${reason}`);
}

/** RFC 9449 §4.3: "ignoring any query and fragment parts", after normalisation of scheme, host and default port; the path is compared as it is. */
function isAddressOf(htu: string, url: string): boolean {
  if (!/^https?:\/\//i.test(htu) || !URL.canParse(htu)) return false;
  const [said, meant] = [new URL(htu), new URL(url)];
  return said.origin === meant.origin && said.pathname === meant.pathname && said.username === '' && said.password === '';
}
