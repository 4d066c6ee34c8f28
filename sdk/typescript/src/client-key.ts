/**
 * The private key with which a client says who it is: read from whatever form it comes in, and judged at once, so that a wrong one is told at start. Its algorithm
 * follows from the key and from nothing else (RFC 8725 §3.1). Not here: what is signed with it (client-authentication.ts).
 */
import { importJWK, importPKCS8, type JWK } from 'jose';

/** A private key as `node:crypto` holds it. */
export interface NodeKey {
  readonly type: string;
  readonly asymmetricKeyType?: string | undefined;
  readonly asymmetricKeyDetails?: object | undefined;
}

/** A private key: EC on P-256, Ed25519, or RSA of 2048 bits and more; as JWK, PKCS #8 in PEM, `CryptoKey` or `KeyObject`. */
export type ClientKey = JWK | string | CryptoKey | NodeKey;

type Algorithm = 'ES256' | 'EdDSA' | 'RS256';

/** A key that was judged. It is loaded on first use. */
export interface SigningKey {
  readonly algorithm: Algorithm;
  readonly keyId: string | undefined;
  load(): Promise<CryptoKey | NodeKey>;
}

const leastBits = 2048;
/** Object identifiers of the three kinds, as they stand in PKCS #8 (RFC 5208 §5, RFC 5480, RFC 8410). */
const identifiers: readonly [string, Algorithm][] = [
  ['06072a8648ce3d020106082a8648ce3d030107', 'ES256'],
  ['06032b6570', 'EdDSA'],
  ['06092a864886f70d010101', 'RS256'],
];
const members: Readonly<Record<Algorithm, readonly string[]>> = {
  ES256: ['d', 'x', 'y'],
  EdDSA: ['d', 'x'],
  RS256: ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'],
};

/** Judges a key. The key itself appears in no message. @throws {TypeError} naming "clientKey" or "clientKeyId". */
export function readClientKey(key: ClientKey, keyId: string | undefined): SigningKey {
  if (keyId !== undefined && (typeof keyId !== 'string' || keyId === '')) throw new TypeError('"clientKeyId" must be a string that is not empty');
  if (typeof key === 'string') return { algorithm: algorithmOfPem(key), keyId, load: once(() => importPKCS8(key.trim(), algorithmOfPem(key))) };
  if (typeof key !== 'object' || key === null) throw unusable();
  if ('kty' in key) {
    const algorithm = algorithmOfJwk(key);
    return {
      algorithm,
      keyId: keyId ?? (typeof key.kid === 'string' && key.kid !== '' ? key.kid : undefined),
      load: once(() => importPrivate(key, algorithm)),
    };
  }
  const algorithm = 'usages' in key ? algorithmOfCryptoKey(key) : algorithmOfNodeKey(key as NodeKey);
  return { algorithm, keyId, load: async () => key as CryptoKey | NodeKey };
}

/** Only what makes the key: `use`, `key_ops` and the like are for whoever publishes it. */
async function importPrivate(jwk: JWK, algorithm: Algorithm): Promise<CryptoKey> {
  const parts = Object.fromEntries(['kty', 'crv', ...members[algorithm]].map((name) => [name, jwk[name as keyof JWK]]));
  return (await importJWK(parts as JWK, algorithm)) as CryptoKey; // only symmetric keys are bytes
}

function algorithmOfPem(pem: string): Algorithm {
  const body = /^\s*-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----\s*$/.exec(pem)?.[1];
  if (body === undefined) throw new TypeError('"clientKey" must be PKCS #8 in PEM, -----BEGIN PRIVATE KEY-----; `openssl pkcs8 -topk8 -nocrypt` makes it');
  const bytes = decoded(body.replace(/\s/g, ''));
  const start = Array.from(bytes.slice(0, 40), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const [, algorithm] = identifiers.find(([identifier]) => start.includes(identifier)) ?? [];
  // Of 2048 bits it has 1190 bytes and more, of 1536 bits 900.
  if (algorithm === undefined || (algorithm === 'RS256' && bytes.length < 1100)) throw unusable();
  return algorithm;
}

function algorithmOfJwk(jwk: JWK): Algorithm {
  const { kty, crv, alg, n } = jwk;
  const algorithm = kty === 'EC' && crv === 'P-256' ? 'ES256' : kty === 'OKP' && crv === 'Ed25519' ? 'EdDSA' : kty === 'RSA' ? 'RS256' : undefined;
  if (algorithm === undefined || !members[algorithm].every((name) => typeof jwk[name as keyof JWK] === 'string')) throw unusable();
  if (algorithm === 'RS256' && decoded((n ?? '').replaceAll('-', '+').replaceAll('_', '/')).length * 8 < leastBits) throw unusable();
  // RFC 9864 gave EdDSA over Ed25519 a second name.
  if (alg !== undefined && alg !== algorithm && !(alg === 'Ed25519' && algorithm === 'EdDSA'))
    throw new TypeError(`"clientKey" is a key for ${algorithm}, its "alg" says otherwise`);
  return algorithm;
}

function algorithmOfCryptoKey({ type, usages, algorithm }: CryptoKey): Algorithm {
  const { name, namedCurve, hash, modulusLength = 0 } = algorithm as { name: string; namedCurve?: string; hash?: { name: string }; modulusLength?: number };
  if (type !== 'private' || !usages.includes('sign')) throw unusable();
  if (name === 'ECDSA' && namedCurve === 'P-256') return 'ES256';
  if (name === 'Ed25519') return 'EdDSA';
  if (name === 'RSASSA-PKCS1-v1_5' && hash?.name === 'SHA-256' && modulusLength >= leastBits) return 'RS256';
  throw unusable();
}

function algorithmOfNodeKey({ type, asymmetricKeyType: kind, asymmetricKeyDetails }: NodeKey): Algorithm {
  const { namedCurve, modulusLength = 0 } = (asymmetricKeyDetails ?? {}) as { namedCurve?: string; modulusLength?: number };
  if (type !== 'private') throw unusable();
  if (kind === 'ec' && namedCurve === 'prime256v1') return 'ES256';
  if (kind === 'ed25519') return 'EdDSA';
  if (kind === 'rsa' && modulusLength >= leastBits) return 'RS256';
  throw unusable();
}

function decoded(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    throw unusable();
  }
}

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}

function unusable(): TypeError {
  return new TypeError('"clientKey" must be a private key: EC on P-256, Ed25519, or RSA of 2048 bits and more');
}
