/**
 * Verifies JWTs that others signed (client assertions, assertion grants) under keys that the caller trusts; the signature is jose's work. Which keys, and what the
 * claims must say, is the caller's. Keys inside a token (`jwk`, `jku`, `x5c`, `x5u`) are never looked at. Our own tokens: jwt.ts.
 */
import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet, type JWTHeaderParameters } from 'jose';
import type { Claims, Jwt } from './jwt.ts';

/** What a foreign token may be signed with: asymmetric, never `none`, never a MAC (RFC 8725 §3.1). Metadata names the same list. */
export const foreignAlgorithms: readonly string[] = ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA', 'Ed25519'];

/** Trusted public keys of one signer. Imported once, so keep the ring as long as the keys are the same. */
export type KeyRing = {
  /** The token if one of the keys signed it. `unknown-key`: none of them can have; newer keys might. Says nothing about claims. */
  verify(token: string, algorithms?: readonly string[]): Promise<Jwt | 'unknown-key' | 'invalid'>;
};

const maxTokenLength = 16 * 1024;
const compactForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** Makes a ring of public JWKs (RFC 7517). Keys that jose cannot use verify nothing. */
export function keyRing(keys: readonly Record<string, unknown>[]): KeyRing {
  const choose = createLocalJWKSet({ keys: keys.map(withoutEdwardsAlg) } as JSONWebKeySet);
  return {
    async verify(token, algorithms = foreignAlgorithms) {
      const read = readForeignJwt(token);
      if (!read || !algorithms.some((one) => sameAlgorithm(one, read.header.alg))) return 'invalid';
      try {
        await compactVerify(token, choose, { algorithms: [read.header.alg] });
        return read;
      } catch (error) {
        if (error instanceof errors.JWKSNoMatchingKey) return 'unknown-key';
        return error instanceof errors.JWKSMultipleMatchingKeys && (await verifiedByOneOf(error, token, read)) ? read : 'invalid';
      }
    },
  };
}

/** RFC 9864 gave EdDSA over Ed25519 a second name: a key of one is good for tokens of the other. */
const edwards = ['EdDSA', 'Ed25519'];

function sameAlgorithm(one: string, other: string): boolean {
  return one === other || (edwards.includes(one) && edwards.includes(other));
}

function withoutEdwardsAlg({ alg, ...key }: Record<string, unknown>): Record<string, unknown> {
  return alg === undefined || edwards.includes(String(alg)) ? key : { ...key, alg };
}

/** Reads a compact JWT without believing it. Undefined when it is not one, or demands extensions (`crit`). */
export function readForeignJwt(token: string): Jwt | undefined {
  if (token.length > maxTokenLength || !compactForm.test(token)) return undefined;
  const [header = '', payload = ''] = token.split('.');
  const read = { header: objectOf(header), claims: objectOf(payload) };
  if (!read.header || !read.claims || typeof read.header.alg !== 'string' || 'crit' in read.header) return undefined;
  // RFC 7515 §4.1.4, §4.1.9.
  if (![read.header.typ, read.header.kid].every((value) => value === undefined || typeof value === 'string')) return undefined;
  return { header: read.header as Jwt['header'], claims: read.claims };
}

/** A signer with several keys of a kind may leave out `kid`: then each is tried. */
async function verifiedByOneOf(keys: errors.JWKSMultipleMatchingKeys, token: string, { header }: Jwt): Promise<boolean> {
  for await (const key of keys) {
    const verified = await compactVerify(token, key, { algorithms: [(header as JWTHeaderParameters).alg] }).catch(() => undefined);
    if (verified) return true;
  }
  return false;
}

function objectOf(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url')));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}
