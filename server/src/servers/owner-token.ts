/**
 * The value of an owner token, `aat_…`: what an owner of MCP servers shows to the management API. Not here: who may use that API (api/owner.ts).
 */
import { sha256 } from '../crypto/hash.ts';
import { randomId } from '../crypto/random.ts';
import type { OwnerToken } from '../storage/store.ts';

/** Owner tokens live this long unless told otherwise, in seconds. */
export const ownerTokenSeconds = 365 * 86400;

/** Makes an owner token: `row` is kept, `value` is shown once. */
export function newOwnerToken(userId: string, name: string, now: number, lifetimeSeconds = ownerTokenSeconds): { value: string; row: OwnerToken } {
  const value = randomId('aat_', 32);
  return { value, row: { id: randomId('oat_', 9), tokenHash: sha256(value), userId, name, createdAt: now, expiresAt: now + lifetimeSeconds } };
}
