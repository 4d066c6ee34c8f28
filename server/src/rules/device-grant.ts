/**
 * The words of the device authorization grant (RFC 8628): its name, and user codes. Eight letters without vowels (§6.1: "BCDFGHJKLMNPQRSTVWXZ"), so that no
 * code is a word, 0 is not O and 1 is not I; 2^34 of them. Not here: how often one may guess (device/user-code-guesses.ts).
 */
import { randomLetters } from '../crypto/random.ts';

export const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code';

const alphabet = 'BCDFGHJKLMNPQRSTVWXZ';
const length = 8;

/** A random user code as it is hashed: eight letters. */
export function newUserCode(): string {
  return randomLetters(alphabet, length);
}

/** `WDJBMJHT` as people read it: `WDJB-MJHT`. */
export function shownUserCode(code: string): string {
  return `${code.slice(0, length / 2)}-${code.slice(length / 2)}`;
}

/** RFC 8628 §6.1: what a person typed, without case, dashes and spaces. Undefined for what no code of ours can be. */
export function readUserCode(typed: string | undefined): string | undefined {
  const code = (typed ?? '')
    .normalize('NFKC')
    .replace(/[\s\p{Pd}_.]/gu, '')
    .toUpperCase();
  return code.length === length && [...code].every((letter) => alphabet.includes(letter)) ? code : undefined;
}
