/**
 * Random identifiers and secrets, in the alphabet [A-Za-z0-9_-] only: some clients form-encode credentials and some do not, and these survive both.
 */
import { randomBytes } from 'node:crypto';

/** A prefix and `bytes` random bytes in base64url. Ids use 9 or more bytes, secrets 32. */
export function randomId(prefix: string, bytes: number): string {
  return prefix + randomBytes(bytes).toString('base64url');
}

/** A random id of letters and digits only, for places where `_` separates parts. About 5.95 bits a character. */
export function randomWord(length: number): string {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let word = '';
  while (word.length < length) {
    for (const byte of randomBytes(length * 2)) {
      // 248 is the largest multiple of 62 in a byte: beyond it the modulo would favour some letters.
      if (byte < 248 && word.length < length) word += alphabet[byte % 62];
    }
  }
  return word;
}
