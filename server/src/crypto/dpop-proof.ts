/**
 * Reads the signed part of a DPoP proof (RFC 9449 §4.2, §4.3): a JWT that carries its own public key. Says which key signed what; whether the claims fit the
 * request is rules/dpop.ts. The signature is jose's work; what key and algorithm may be is decided here, before it is asked.
 */
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose';

/** What a proof may be signed with: asymmetric, and never `none`. Metadata and challenges name the same list. */
export const dpopAlgorithms: readonly string[] = ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'RS256'];

/** `jkt` is the SHA-256 thumbprint of the key (RFC 7638). Unread is what is wrong, in words for the one who made the proof. */
export type SignedProof = { jkt: string; claims: Record<string, unknown> } | { unread: string };

/** A proof with an RSA key of 4096 bits has about 2000 characters. */
const maxProofLength = 4096;
const compactForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const rsaModulus = /^[A-Za-z0-9_-]{342,683}$/;

/** Verifies a proof under the key inside it. Never rejects because of what the proof is. */
export async function readSignedProof(proof: string): Promise<SignedProof> {
  if (proof.length > maxProofLength || !compactForm.test(proof)) return { unread: 'it is not one compact JWT' };
  try {
    const { typ, alg, jwk, crit } = decodeProtectedHeader(proof);
    if (typ !== 'dpop+jwt') return { unread: 'its typ is not dpop+jwt' };
    if (alg === undefined || !dpopAlgorithms.includes(alg)) return { unread: 'its alg is not offered' };
    if (crit !== undefined) return { unread: 'it has critical headers' };
    if (!isPublicKey(jwk)) return { unread: 'its jwk is not a public key' };
    const { payload } = await compactVerify(proof, await importJWK(jwk, alg), { algorithms: [alg] });
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return { unread: 'its claims are not an object' };
    return { jkt: await calculateJwkThumbprint(jwk), claims: claims as Record<string, unknown> };
  } catch {
    return { unread: 'its signature does not verify under its jwk' };
  }
}

/** A stranger chooses this key: none that is symmetric or private, no RSA key whose verification would cost more than ours do. */
function isPublicKey(jwk: unknown): jwk is JWK {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return false;
  const key = jwk as Record<string, unknown>;
  if (privateMembers.some((member) => member in key)) return false;
  if (key.kty === 'RSA') return key.e === 'AQAB' && typeof key.n === 'string' && rsaModulus.test(key.n);
  return key.kty === 'EC' || key.kty === 'OKP';
}
