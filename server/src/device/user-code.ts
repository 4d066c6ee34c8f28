/**
 * User codes as they are stored and guessed (RFC 8628 §5.1). They are short enough to be tried out, so the database holds a keyed hash, and who enters wrong ones
 * is stopped: five in ten minutes for an account, and for an address.
 */
import { addressBucket } from '../clients/address-bucket.ts';
import type { Context } from '../context.ts';
import type { Allowance } from '../storage/store.ts';

const limit = { most: 5, windowSeconds: 600 };

/** What is stored of a user code. */
export function userCodeHash(code: string, context: Context): string {
  return context.instance.mac('user code', code);
}

export type Guesser = { userId: string; address: string };

/** Counts an entry before it is looked up, so that parallel entries cannot share one. */
export async function mayEnter(guesser: Guesser, context: Context): Promise<Allowance> {
  for (const bucket of buckets(guesser)) {
    const allowance = await context.store.countGuess(bucket, limit, context.now());
    if (!allowance.allowed) return allowance;
  }
  return { allowed: true };
}

/** The entry was right and counts for nothing. The wrong ones before it stay, or anybody could forget them with a code of their own. */
export async function wasRight(guesser: Guesser, context: Context): Promise<void> {
  for (const bucket of buckets(guesser)) await context.store.takeGuessBack(bucket);
}

function buckets({ userId, address }: Guesser): string[] {
  return [`user-code account ${userId}`, `user-code address ${addressBucket(address)}`];
}
