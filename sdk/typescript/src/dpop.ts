/**
 * Proof of possession at an MCP server (RFC 9449, SEP-1932): demands the proof that a bound token needs, a nonce of our own where that is switched on, and that
 * each proof is used once. Not here: what a proof must say (dpop-proof.ts).
 */
import { tokenHash } from './digest.ts';
import { judgeProof } from './dpop-proof.ts';
import { AuthenticationError } from './errors.ts';
import type { Settings } from './options.ts';
import type { ProofMemory } from './proof-memory.ts';
import type { AuthContext } from './verify.ts';

/** How a token was presented under the DPoP scheme. */
export interface PresentedProof {
  /** The value of the DPoP header, or null. */
  readonly proof: string | null;
  readonly method: string;
  /** Public address of the request: the origin people configure and the path that was asked for, never made from Host. */
  readonly url: string;
}

/** @see createProofCheck */
export interface ProofCheck {
  /**
   * Checks that whoever presents a bound token has its key. Resolves to the nonce to announce on the answer, when the one in the proof is about to end.
   *
   * @throws {AuthenticationError} invalid_dpop_proof, invalid_token, use_dpop_nonce
   */
  check(presented: PresentedProof, auth: AuthContext): Promise<string | undefined>;
}

/** A nonce is made for one window and good in the next one too: it lives two to four minutes. */
const nonceWindowSeconds = 120;

/** Makes the check of one MCP server, with a memory of its own unless the options bring one. */
export function createProofCheck({ now, serverId, dpopNonceSecret, proofMemory }: Settings): ProofCheck {
  const nonces = dpopNonceSecret === undefined ? undefined : createNonces(dpopNonceSecret, serverId);
  return {
    async check(presented, { jkt, tokenHash: hash }) {
      if (jkt === undefined) throw new AuthenticationError('invalid_token', 'not_bound', { scheme: 'DPoP' });
      const { jti, nonce, expiresAt } = await judgeProof(presented.proof, { ...presented, tokenHash: hash, jkt, now: now() });
      const announced = await nonces?.(nonce, now());
      await useOnce(proofMemory, await tokenHash(JSON.stringify([jkt, jti])), expiresAt, now());
      return announced;
    },
  };
}

/** DPR-05: MCP requests go to one address, so the id alone tells two calls apart. */
async function useOnce(memory: ProofMemory, id: string, expiresAt: number, now: number): Promise<void> {
  if (!(await memory.useOnce(id, expiresAt, now))) throw new AuthenticationError('invalid_dpop_proof', 'replayed', { scheme: 'DPoP' });
}

type CheckNonce = (presented: string | undefined, now: number) => Promise<string | undefined>;

/** RFC 9449 §9. Nothing is stored: a nonce is a MAC over the time, and every process with the secret knows the same ones. */
function createNonces(secret: string, serverId: string): CheckNonce {
  const key = crypto.subtle.importKey('raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const made = new Map<number, Promise<string>>();
  function nonceOf(window: number): Promise<string> {
    const known = made.get(window);
    if (known !== undefined) return known;
    if (made.size > 2) made.clear();
    const nonce = key.then((one) => mac(one, `dpop-nonce ${serverId} ${window}`));
    made.set(window, nonce);
    return nonce;
  }
  return async function checkNonce(presented, now) {
    const window = Math.floor(now / nonceWindowSeconds);
    const current = await nonceOf(window);
    if (presented === current) return undefined;
    if (presented !== undefined && presented === (await nonceOf(window - 1))) return current;
    throw new AuthenticationError('use_dpop_nonce', 'nonce', { scheme: 'DPoP', nonce: current });
  };
}

async function mac(key: CryptoKey, text: string): Promise<string> {
  const signature = new Uint8Array(await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(text)));
  return btoa(String.fromCharCode(...signature))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}
