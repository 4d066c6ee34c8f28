/**
 * Password hashes: scrypt, present on all three runtimes, with its parameters in the hash (PHC string) so that they can be raised at the next sign-in. Only so many
 * at once: each takes a tenth of a second of a core, and who waits behind hundreds is better told to come back.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { OAuthError } from '../errors.ts';
import { scryptAside } from './scrypt-threads.ts';

const current = { ln: 15, r: 8, p: 3 };
/** Longer input is refused before hashing: a hash must not be a way to keep us busy (LOG-06). */
export const maxPasswordBytes = 1024;

/** Hashes in hand at most: some seconds of work for two cores. */
const mostAtOnce = 100;
let inHand = 0;

/** @throws {OAuthError} temporarily_unavailable while too many others are at it. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, current.ln, current.r, current.p, 32);
  return `$scrypt$ln=${current.ln},r=${current.r},p=${current.p}$${unpadded(salt)}$${unpadded(hash)}`;
}

/**
 * True when the password matches; `stale` when the hash should be made anew with today's parameters.
 *
 * @throws {OAuthError} temporarily_unavailable while too many others are at it.
 */
export async function verifyPassword(password: string, phc: string): Promise<{ matches: boolean; stale: boolean }> {
  const parts = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(phc);
  if (!parts || Buffer.byteLength(password) > maxPasswordBytes) return { matches: false, stale: false };
  const [ln, r, p] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const expected = Buffer.from(parts[5] ?? '', 'base64');
  const actual = await derive(password, Buffer.from(parts[4] ?? '', 'base64'), ln, r, p, expected.length);
  return { matches: timingSafeEqual(actual, expected), stale: ln !== current.ln || r !== current.r || p !== current.p };
}

/** A hash of nothing anybody knows, for names that do not exist: the answer takes as long as for those that do (LOG-05). */
export function decoyHash(): Promise<string> {
  decoy ??= hashPassword(randomBytes(32).toString('base64')).catch((error: unknown) => {
    decoy = undefined;
    throw error;
  });
  return decoy;
}
let decoy: Promise<string> | undefined;

function derive(password: string, salt: Buffer, ln: number, r: number, p: number, length: number): Promise<Buffer> {
  if (inHand >= mostAtOnce) {
    const busy = new OAuthError('temporarily_unavailable', 'Too many people sign in at this moment, try again shortly', { headers: { 'Retry-After': '2' } });
    return Promise.reject(busy);
  }
  inHand += 1;
  return scryptAside(password.normalize('NFKC'), salt, { N: 2 ** ln, r, p, length }).finally(() => {
    inHand -= 1;
  });
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
