/**
 * The key with which a client proves that a token is its own (RFC 9449 §4): makes it, and signs a proof for each request. The private half cannot be read out of it.
 * Also the nonces that servers ask for, each kept for the origin it came from (CL-21).
 */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { tokenHash } from './digest.ts';

/** What a proof is for. */
export interface ProofTarget {
  readonly method: string;
  readonly url: string;
  /** Absent at the token endpoint. */
  readonly accessToken?: string;
  /** Epoch seconds. */
  readonly now: number;
}

/** The parts of an answer that may announce a nonce. `error` is the OAuth error in its body, where that was read. */
export interface Announcing {
  readonly headers: Headers;
  readonly error?: unknown;
}

/** The value of a DPoP header, and the nonce in it. */
export interface Proof {
  readonly value: string;
  readonly nonce: string | undefined;
}

/** @see createProofKey */
export interface ProofKey {
  /** SHA-256 thumbprint: `dpop_jkt`, and `cnf.jkt` of the tokens. */
  thumbprint(): Promise<string>;
  /** A fresh proof for one request, with the newest nonce of its origin, which is named beside it. */
  prove(target: ProofTarget): Promise<Proof>;
  /**
   * Keeps the nonce that an answer announces. True when the answer refused `proof` for want of it: then the request is worth
   * repeating (RFC 9449 §8, §9).
   */
  learn(url: string, proof: Proof, answer: Announcing): boolean;
}

const algorithm = 'ES256';
const nonceForm = /^[\x21\x23-\x5B\x5D-\x7E]{1,512}$/;
const maxOrigins = 100;

/** Makes a key on first use. Without `keyPair` (ECDSA P-256) it lives as long as this object. */
export function createProofKey(keyPair?: CryptoKeyPair): ProofKey {
  const nonces = new Map<string, string>();
  let made: ReturnType<typeof load> | undefined;

  async function load() {
    const { privateKey, publicKey } = keyPair ?? (await generateKeyPair(algorithm));
    const { kty, crv, x, y } = await exportJWK(publicKey);
    return {
      privateKey,
      jwk: { kty, crv, x, y },
      thumbprint: await calculateJwkThumbprint({ kty, crv, x, y } as Parameters<typeof calculateJwkThumbprint>[0]),
    };
  }
  const key = () => {
    made ??= load();
    return made;
  };

  return {
    thumbprint: async () => (await key()).thumbprint,
    async prove({ method, url, accessToken, now }) {
      const { privateKey, jwk } = await key();
      const { origin, pathname } = new URL(url);
      const nonce = nonces.get(origin);
      const ath = accessToken === undefined ? undefined : await tokenHash(accessToken);
      const claims = { jti: crypto.randomUUID(), htm: method, htu: origin + pathname, iat: Math.floor(now), ath, nonce };
      const value = await new SignJWT(claims).setProtectedHeader({ typ: 'dpop+jwt', alg: algorithm, jwk }).sign(privateKey);
      return { value, nonce };
    },
    learn(url, proof, { headers, error }) {
      const nonce = headers.get('dpop-nonce');
      if (nonce === null || !nonceForm.test(nonce)) return false;
      const { origin } = new URL(url);
      if (nonces.size >= maxOrigins) nonces.clear();
      nonces.set(origin, nonce);
      const asked = error === 'use_dpop_nonce' || /\berror="?use_dpop_nonce\b/.test(headers.get('www-authenticate') ?? '');
      // The same nonce again would be refused again.
      return asked && nonce !== proof.nonce;
    },
  };
}
