/**
 * How fast anybody may guess (LOG-05): each account from one address with exponential waits, and each address over all accounts. Nobody can lock another
 * person out from elsewhere, and a limit never tells whether an account exists (RATE-05).
 */
import { addressBucket } from '../clients/address-bucket.ts';
import type { Context } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import type { Allowance } from '../storage/store.ts';

/** Tries of one address over all accounts. */
const perAddress = { limit: 100, periodSeconds: 900 };

/** Counts a try before it is made. */
export async function mayTry(login: string, address: string, context: Context): Promise<Allowance> {
  const place = await context.store.takeFrom(`sign-in address ${addressBucket(address)}`, perAddress, context.now() * 1000);
  return place.allowed ? context.store.attempt(bucket(login, address), context.now()) : place;
}

/** Forgets the failed tries of somebody who has now shown who they are. */
export async function forgive(login: string, address: string, context: Context): Promise<void> {
  await context.store.forgiveAttempts(bucket(login, address));
}

function bucket(login: string, address: string): string {
  return `sign-in ${sha256(`${login.normalize('NFKC').toLowerCase()}\n${addressBucket(address)}`)}`;
}
