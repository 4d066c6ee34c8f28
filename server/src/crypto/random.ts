/**
 * Random identifiers and secrets, in the alphabet [A-Za-z0-9_-] only: some clients form-encode credentials and some do not, and these survive both.
 */
import { randomBytes, randomFillSync } from 'node:crypto';

/** Random bytes fetched ahead: one call for many ids costs a tenth of a call for each. What was handed out is wiped. */
const pool = Buffer.alloc(4096);
let used = pool.length;

/** A prefix and `bytes` random bytes in base64url. Ids use 9 or more bytes, secrets 32. */
export function randomId(prefix: string, bytes: number): string {
  if (bytes > pool.length) throw new RangeError('an id has at most 4096 random bytes');
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const id = prefix + pool.toString('base64url', used, used + bytes);
  pool.fill(0, used, used + bytes);
  used += bytes;
  return id;
}

/**
 * Like randomId, behind the time: ids made near each other lie near each other in an index, so that adding one does not touch a page of its own. Says when it was
 * made; four bytes of seconds, two of a fraction that orders nothing but what is made at once, then `bytes` random ones.
 */
export function randomIdAt(prefix: string, now: number, bytes: number): string {
  const id = Buffer.alloc(6 + bytes);
  id.writeUInt32BE(now >>> 0);
  id.writeUInt16BE(Math.floor((performance.now() % 1000) * 65.536), 4);
  id.write(randomId('', bytes), 6, 'base64url');
  return prefix + id.toString('base64url');
}

/** A random id of letters and digits only, for places where `_` separates parts. About 5.95 bits a character. */
export function randomWord(length: number): string {
  return randomLetters('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', length);
}

/** Letters of an alphabet of at most 256, each as likely as any other. */
export function randomLetters(alphabet: string, length: number): string {
  // The largest multiple of the alphabet in a byte: beyond it the modulo would favour some letters.
  const fair = 256 - (256 % alphabet.length);
  let word = '';
  while (word.length < length) {
    for (const byte of randomBytes(length * 2)) {
      if (byte < fair && word.length < length) word += alphabet[byte % alphabet.length];
    }
  }
  return word;
}
