/**
 * Whoever signs with keys of their own: a client, an identity provider, a cluster. Makes key pairs and JWTs for tests, good ones and, with a change of header or
 * claims, each kind of bad one.
 */
import { generateKeyPairSync, type KeyObject, sign as signRaw } from 'node:crypto';
import { SignJWT } from 'jose';

export type Jwk = Record<string, unknown>;
export type Signer = {
  readonly kid: string;
  /** The public key, with `kid`, `alg` and `use`. */
  readonly jwk: Jwk;
  readonly privateKey: KeyObject;
  /** A compact JWT under this key. A header member that is undefined is left out. */
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
};

const kinds = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  EdDSA: () => generateKeyPairSync('ed25519'),
};

export function signer(kid = 'key-1', algorithm: keyof typeof kinds = 'ES256'): Signer {
  const { publicKey, privateKey } = kinds[algorithm]();
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
  return {
    kid,
    jwk,
    privateKey,
    sign: (claims, header = {}) => {
      const given = Object.fromEntries(Object.entries({ alg: algorithm, kid, ...header }).filter(([, value]) => value !== undefined));
      return new SignJWT(claims).setProtectedHeader(given as { alg: string }).sign(privateKey);
    },
  };
}

/** Puts together a JWT that no library would make: any header, and whatever signature. */
export function forged(
  header: Record<string, unknown>,
  claims: Record<string, unknown>,
  signature: (input: string) => Buffer = () => Buffer.from('x'),
): string {
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${input}.${signature(input).toString('base64url')}`;
}

/** A signature as ES256 demands it, for `forged`. */
export function es256(key: KeyObject): (input: string) => Buffer {
  return (input) => signRaw('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
}
