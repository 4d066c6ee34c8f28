/**
 * Proof of possession at our own endpoints (RFC 9449): reads the proof of a request, demands nonces where that is switched on, and lets each proof be used once.
 * A request without a DPoP header costs nothing here. Not here: what a proof must be (crypto/dpop-proof.ts, rules/dpop.ts), what is bound to its key (grants/, issue.ts).
 */
import type { Context, Exchange } from '../context.ts';
import { readSignedProof } from '../crypto/dpop-proof.ts';
import { equalSecrets, sha256 } from '../crypto/hash.ts';
import { OAuthError } from '../errors.ts';
import type { Answer } from '../route.ts';
import { checkProofClaims, invalidProof } from '../rules/dpop.ts';

/** A proof that fits its request and whose id is not yet used. */
export type Proof = {
  /** SHA-256 thumbprint of the key: what tokens are bound to. */
  readonly jkt: string;
  readonly idHash: string;
  /** When its `iat` alone will have it refused. */
  readonly expiresAt: number;
  /** The nonce to use from now on, when the one in the proof is about to end. */
  readonly nextNonce?: string;
};

/** Nonces of the authorization server are worth nothing at a resource, and the other way round (DPR-04). */
type Nonces = 'authorization server' | 'userinfo';
type Expected = { nonces: Nonces; accessToken?: string };

/** A nonce is made for one window and good in the next one too: it lives two to four minutes. */
const nonceWindowSeconds = 120;

/**
 * The proof in the DPoP header of a request, or undefined when there is none.
 *
 * @throws {OAuthError} invalid_dpop_proof, use_dpop_nonce
 */
export async function presentedProof({ request }: Exchange, expected: Expected, context: Context): Promise<Proof | undefined> {
  const header = request.headers.get('dpop');
  if (header === null) return undefined;
  const signed = await readSignedProof(header);
  if ('unread' in signed) throw invalidProof(signed.unread);
  const url = context.options.issuer + pathOf(request.url);
  const claims = checkProofClaims(signed.claims, { method: request.method, url, accessToken: expected.accessToken, now: context.now() });
  const nextNonce = context.options.dpopNonces ? checkNonce(claims.nonce, expected.nonces, context) : undefined;
  return { jkt: signed.jkt, idHash: sha256(JSON.stringify([url, claims.jti])), expiresAt: claims.expiresAt, nextNonce };
}

/**
 * Uses the proof up, across all nodes (RFC 9449 §11.1), and says which key the tokens are bound to. The last check before anything is changed, so that only
 * requests that would be granted write something.
 *
 * @throws {OAuthError} invalid_dpop_proof when it was used before.
 */
export async function spendProof(proof: Proof | undefined, context: Context): Promise<string | undefined> {
  if (!proof) return undefined;
  const { idHash, expiresAt, jkt } = proof;
  if (!(await context.store.useOnce({ kind: 'dpop_proof', idHash, now: context.now(), expiresAt }))) throw invalidProof('it was used before');
  return jkt;
}

/** A code or a refresh token that was bound to a key is good with that key only (COD-09, RT-04). @throws {OAuthError} invalid_dpop_proof, invalid_grant */
export function checkBoundKey(boundTo: string | undefined, proof: Proof | undefined): void {
  if (boundTo === undefined || proof?.jkt === boundTo) return;
  if (!proof) throw new OAuthError('invalid_dpop_proof', 'This grant is bound to a key: a DPoP proof by it is required');
  throw new OAuthError('invalid_grant', 'The grant is bound to another key');
}

/** Brings the nonce to use from now on with an answer (RFC 9449 §8.2). */
export function withNextNonce(answer: Answer, proof: Proof | undefined): Answer {
  return proof?.nextNonce ? { ...answer, headers: { ...answer.headers, 'DPoP-Nonce': proof.nextNonce } } : answer;
}

/** RFC 9449 §8. Returns the current nonce when the presented one is of the window before. */
function checkNonce(presented: string | undefined, nonces: Nonces, context: Context): string | undefined {
  const window = Math.floor(context.now() / nonceWindowSeconds);
  const current = nonceOf(window, nonces, context);
  if (presented !== undefined && equalSecrets(presented, current)) return undefined;
  if (presented !== undefined && equalSecrets(presented, nonceOf(window - 1, nonces, context))) return current;
  throw new OAuthError('use_dpop_nonce', 'Repeat the request with the nonce of the DPoP-Nonce header in the proof', { headers: { 'DPoP-Nonce': current } });
}

/** Unpredictable without the instance secret, the same on every node, and nothing to store. */
function nonceOf(window: number, nonces: Nonces, { instance, store }: Context): string {
  return instance.mac('dpop-nonce', store.tenant, nonces, String(window));
}

/** The path as it was requested: which of the spellings of an endpoint a client uses is its own choice. The origin is configuration's (DPA-08). */
function pathOf(url: string): string {
  return new URL(url).pathname;
}
