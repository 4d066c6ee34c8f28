/**
 * How fast anybody may guess (LOG-05): each account from one address with exponential waits, and each address over all accounts. Nobody can lock another
 * person out from elsewhere, and a limit never tells whether an account exists (RATE-05).
 */
import { addressBucket } from '../clients/address-bucket.ts';
import type { Context } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import type { Allowance } from '../storage/store.ts';

/** Counts a try before it is made. */
export async function mayTry(login: string, address: string, context: Context): Promise<Allowance> {
  const place = await context.limits.take('sign-in.address', addressBucket(address));
  return place.allowed ? context.store.attempt(bucket(login, address), context.now()) : place;
}

/** Forgets the failed tries of somebody who has now shown who they are. This one does not count for their address either, where many people may sign in. */
export async function forgive(login: string, address: string, context: Context): Promise<void> {
  await Promise.all([context.store.forgiveAttempts(bucket(login, address)), context.limits.giveBack('sign-in.address', addressBucket(address))]);
}

function bucket(login: string, address: string): string {
  return `sign-in ${sha256(`${login.normalize('NFKC').toLowerCase()}\n${addressBucket(address)}`)}`;
}
