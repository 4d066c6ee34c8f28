/**
 * Signing and verifying our own JWTs (RFC 7515 compact form) with keys this server holds. Foreign tokens are verified with jose. Signing goes to DER with
 * the key object itself and is converted here: on Node 24 that takes less than half as long as asking for the JOSE form.
 */
import { type KeyObject, sign, verify } from 'node:crypto';

export type Algorithm = 'ES256' | 'RS256' | 'EdDSA';
export type Claims = Record<string, unknown>;
export type Jwt = { header: { alg: string; kid?: string; typ?: string }; claims: Claims };

/** Makes a compact JWT. `header` is the base64url of the protected header, made once per key and type. */
export function signJwt(header: string, claims: Claims, algorithm: Algorithm, key: KeyObject): string {
  const input = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  const signature = sign(algorithm === 'EdDSA' ? null : 'sha256', Buffer.from(input), key);
  return `${input}.${(algorithm === 'ES256' ? derToJose(signature) : signature).toString('base64url')}`;
}

export function jwtHeader(algorithm: Algorithm, kid: string, typ: string): string {
  return Buffer.from(JSON.stringify({ alg: algorithm, kid, typ })).toString('base64url');
}

/** Reads a compact JWT without believing it. Undefined when it is not one. */
export function decodeJwt(token: string): (Jwt & { input: string; signature: Buffer }) | undefined {
  const parts = token.split('.');
  if (parts.length !== 3 || token.length > 8192 || !/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(token)) return undefined;
  const [header, payload, signature] = parts as [string, string, string];
  try {
    const decoded = { header: parseObject(header), claims: parseObject(payload) };
    if (typeof decoded.header['alg'] !== 'string' || 'crit' in decoded.header) return undefined;
    return { header: decoded.header as Jwt['header'], claims: decoded.claims, input: `${header}.${payload}`, signature: Buffer.from(signature, 'base64url') };
  } catch {
    return undefined;
  }
}

/** The claims of a token that is known to be one. @throws {SyntaxError} when it is none. */
export function jwtClaims(token: string): Claims {
  const start = token.indexOf('.') + 1;
  return parseObject(token.slice(start, token.indexOf('.', start)));
}

/** Whether `signature` over `input` was made by this key. */
export function verifySignature(input: string, signature: Buffer, algorithm: Algorithm, key: KeyObject): boolean {
  if (algorithm !== 'ES256') return verify(algorithm === 'EdDSA' ? null : 'sha256', Buffer.from(input), key, signature);
  return signature.length === 64 && verify('sha256', Buffer.from(input), key, joseToDer(signature));
}

function parseObject(part: string): Record<string, unknown> {
  const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('not an object');
  return value as Record<string, unknown>;
}

/** ECDSA-Sig-Value (RFC 3279 §2.2.3) of P-256 to r ‖ s (RFC 7518 §3.4). */
export function derToJose(der: Buffer): Buffer {
  const out = Buffer.alloc(64);
  // SEQUENCE, length, INTEGER, length of r, r, INTEGER, length of s, s; both shorter than 128 bytes.
  const rLength = der[3] ?? 0;
  const r = der.subarray(4, 4 + rLength);
  const s = der.subarray(6 + rLength);
  const rBytes = r.length > 32 ? r.subarray(r.length - 32) : r;
  const sBytes = s.length > 32 ? s.subarray(s.length - 32) : s;
  rBytes.copy(out, 32 - rBytes.length);
  sBytes.copy(out, 64 - sBytes.length);
  return out;
}

export function joseToDer(jose: Buffer): Buffer {
  const r = derInteger(jose.subarray(0, 32));
  const s = derInteger(jose.subarray(32));
  return Buffer.concat([Buffer.from([0x30, r.length + s.length]), r, s]);
}

function derInteger(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const body = bytes.subarray(start);
  const padded = (body[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), body]) : body;
  return Buffer.concat([Buffer.from([0x02, padded.length]), padded]);
}
