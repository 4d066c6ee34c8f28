/**
 * The two tokens of dynamic registration: the initial access token (RFC 7591 §3) that an operator hands out, and the registration access token (RFC 7592 §3)
 * that a client gets for itself. Both hold 256 random bits and are kept as SHA-256.
 */
import { sha256 } from '../crypto/hash.ts';
import { randomId } from '../crypto/random.ts';
import type { HttpRequest } from '../http-request.ts';
import type { RegistrationToken } from '../storage/store.ts';

/** What an initial access token is good for unless told otherwise: one registration within a week. */
export const registrationTokenSeconds = 7 * 86400;

type Wanted = { name: string; uses: number; lifetimeSeconds: number };

/** Makes an initial access token: `row` is kept, `value` is shown once. */
export function newRegistrationToken({ name, uses, lifetimeSeconds }: Wanted, now: number): { value: string; row: RegistrationToken } {
  const value = randomId('iat_', 32);
  return { value, row: { id: randomId('rgt_', 9), tokenHash: sha256(value), name, usesLeft: uses, createdAt: now, expiresAt: now + lifetimeSeconds } };
}

/** Makes a registration access token: `hash` is kept, `value` goes to the client. */
export function newManagementToken(): { value: string; hash: string } {
  const value = randomId('rat_', 32);
  return { value, hash: sha256(value) };
}

/** The credential of `Authorization: Bearer`; empty when the header says anything else, undefined without one. */
export function presentedToken({ headers }: HttpRequest): string | undefined {
  const header = headers.get('authorization');
  return header === null ? undefined : (/^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(header)?.[1] ?? '');
}
