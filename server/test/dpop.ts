/**
 * Makes DPoP proofs as a client would, and wrong ones where a test says so.
 */
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { sha256 } from '../src/crypto/hash.ts';
import { randomId } from '../src/crypto/random.ts';
import { issuer, start } from './harness.ts';

export type ProofKey = { jwk: JWK; jkt: string; privateKey: CryptoKey; alg: string };
export type ProofOptions = {
  htm?: string;
  htu?: string;
  iat?: number;
  nonce?: string;
  accessToken?: string;
  /** Replaces or, when undefined, removes claims and header members. */
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
};

export const tokenUrl = `${issuer}/token`;

export async function proofKey(alg = 'ES256'): Promise<ProofKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { jwk, jkt: await calculateJwkThumbprint(jwk), privateKey, alg };
}

/** A proof for POST /token at the moment the clock of the harness starts, unless told otherwise. */
export function proof(key: ProofKey, options: ProofOptions = {}): Promise<string> {
  const { htm = 'POST', htu = tokenUrl, iat = start, nonce, accessToken, claims, header } = options;
  const ath = accessToken === undefined ? undefined : sha256(accessToken);
  const payload = { jti: randomId('', 16), htm, htu, iat, nonce, ath, ...claims };
  return new SignJWT(payload).setProtectedHeader({ typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk, ...header }).sign(key.privateKey);
}

/** The header with a fresh proof. */
export async function proven(key: ProofKey, options?: ProofOptions): Promise<{ DPoP: string }> {
  return { DPoP: await proof(key, options) };
}
