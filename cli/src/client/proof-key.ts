/**
 * The key that tokens are bound to where an MCP server demands it (DPoP, RFC 9449; MCP extension "DPoP"): made at a sign-in, kept beside its tokens, and a fresh
 * proof by it for every request. Nonces are kept for the origin they came from, in this process only (CL-21).
 */
import { createHash, createPrivateKey, generateKeyPairSync, type JsonWebKey, randomUUID, sign } from 'node:crypto';
import type { AuthorizationServerMetadata } from '@modelcontextprotocol/client';
import { Failure } from '../exit-codes.ts';
import { safe } from '../terminal.ts';
import type { Fetch } from './guarded-fetch.ts';

export type Proof = { value: string; nonce?: string };
export type ProofKey = {
  /** The private key, as it is kept. */
  jwk: JsonWebKey;
  /** SHA-256 thumbprint (RFC 7638): `dpop_jkt`. */
  thumbprint: string;
  /** `accessToken` is absent at the token endpoint; `now` in seconds. */
  prove(target: { method: string; url: URL; accessToken?: string; now: number }): Proof;
  /** Keeps the nonce an answer announces. True when the answer refused `proof` for want of it. `error` is the OAuth error of its body, where that was read. */
  learn(url: URL, proof: Proof, headers: Headers, error?: unknown): boolean;
};

const algorithm = 'ES256';
const known = new Map<string, ProofKey>();

/** @throws {Failure} refused when the authorization server takes no proofs that this client can make. */
export function newProofKey(metadata: AuthorizationServerMetadata): ProofKey {
  const { dpop_signing_alg_values_supported: offered } = metadata as Record<string, unknown>;
  if (!Array.isArray(offered) || !offered.includes(algorithm)) {
    throw new Failure('refused', `${safe(metadata.issuer)} does not bind tokens to a key`, {
      why: `The MCP server accepts no others, and the metadata of its authorization server lists no ${algorithm} for DPoP.`,
    });
  }
  return proofKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }));
}

/** A kept key; the same object for the same key, so that its nonces are known. */
export function proofKeyOf(jwk: JsonWebKey): ProofKey {
  const thumbprint = digest(JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }));
  const made = known.get(thumbprint) ?? makeKey(jwk, thumbprint);
  known.set(thumbprint, made);
  return made;
}

function makeKey(jwk: JsonWebKey, thumbprint: string): ProofKey {
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  const header = encoded({ typ: 'dpop+jwt', alg: algorithm, jwk: { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y } });
  const nonces = new Map<string, string>();
  return {
    jwk,
    thumbprint,
    prove({ method, url, accessToken, now }) {
      const nonce = nonces.get(url.origin);
      const ath = accessToken === undefined ? undefined : digest(accessToken);
      const input = `${header}.${encoded({ jti: randomUUID(), htm: method, htu: url.origin + url.pathname, iat: Math.floor(now), ath, nonce })}`;
      return { value: `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`, nonce };
    },
    learn(url, proof, headers, error) {
      const nonce = headers.get('dpop-nonce');
      if (nonce === null || !/^[\x21\x23-\x5B\x5D-\x7E]{1,512}$/.test(nonce)) return false;
      nonces.set(url.origin, nonce);
      const asked = error === 'use_dpop_nonce' || /\berror="?use_dpop_nonce\b/.test(headers.get('www-authenticate') ?? '');
      return asked && nonce !== proof.nonce;
    },
  };
}

/** A fetch for the token endpoint that sends a proof with each request, and repeats one that was refused for want of a nonce (RFC 9449 §8). */
export function provingFetch(fetch: Fetch, key: ProofKey, now: number): Fetch {
  return async (address, init = {}) => {
    const url = new URL(address);
    for (let repeated = false; ; repeated = true) {
      const proof = key.prove({ method: init.method ?? 'GET', url, now });
      const headers = new Headers(init.headers);
      headers.set('DPoP', proof.value);
      const response = await fetch(url, { ...init, headers });
      if (!key.learn(url, proof, response.headers, await errorIn(response)) || repeated) return response;
    }
  };
}

async function errorIn(response: Response): Promise<unknown> {
  const body = (await response
    .clone()
    .json()
    .catch(() => undefined)) as { error?: unknown } | undefined;
  return body?.error;
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
