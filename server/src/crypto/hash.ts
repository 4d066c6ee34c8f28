/**
 * Hashes and comparisons. A value of 256 random bits needs one SHA-256, not a slow hash; passwords are in password.ts. `node:crypto` is the one Node module
 * that rooms may use besides the web APIs: Node, Bun and Workers all have it, and it answers without a trip through the thread pool.
 */
import { hash, timingSafeEqual } from 'node:crypto';

/** SHA-256 as base64url: how codes, tokens, keys and session ids are stored and looked up. */
export function sha256(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** How codes and parked requests are looked up: the time that `randomIdAt` put into the secret, then its hash, so that those of one moment lie together in an index too. */
export function sha256At(secret: string): string {
  return (timed.exec(secret)?.[1] ?? '') + sha256(secret);
}

/** Eight letters are six bytes. */
const timed = /^[a-z]{2}_([A-Za-z0-9_-]{8})/;

/** The left half of the hash that belongs to a signature algorithm: `at_hash` (OIDC Core §3.1.3.6). Ed25519 signs with SHA-512. */
export function leftHalf(text: string, algorithm: string): string {
  const whole = Buffer.from(hash(algorithm === 'EdDSA' ? 'sha512' : 'sha256', text, 'hex'), 'hex');
  return whole.toString('base64url', 0, whole.length / 2);
}

/** Compares two strings without telling by time where they differ. Lengths may show; ours are fixed. */
export function equalSecrets(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}

/** CRC-32 (IEEE) as seven letters and digits: lets anybody see that a leaked or mistyped API key is one of ours, without our database. */
export function checksum(text: string): string {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(text)) crc = (crc >>> 8) ^ (crcTable[(crc ^ byte) & 0xff] ?? 0);
  return ((crc ^ 0xffffffff) >>> 0).toString(36).padStart(7, '0').slice(-7);
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});
