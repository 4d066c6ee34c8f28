/**
 * How often anybody may have mail sent: from one address, to one account or mailbox, and altogether. Counted by what was typed, whether it exists or not, so that a
 * limit tells nothing (RATE-05). With five tries a code these numbers bound guessing too: 50 tries an hour at 10^8 codes of one account.
 */
import { addressBucket } from '../clients/address-bucket.ts';
import type { Context } from '../context.ts';
import type { Allowance } from '../storage/store.ts';

const hour = 3600;
const perAddress = { limit: 20, periodSeconds: hour };
const perLogin = { limit: 10, periodSeconds: hour };
const altogether = { limit: 1000, periodSeconds: hour };

/** Counts a mail before anybody is looked for. `login` is an e-mail address or a username, as typed. */
export async function mayAskForMail(login: string, address: string, { store, instance, now }: Context): Promise<Allowance> {
  const buckets = [
    [`mail from ${addressBucket(address)}`, perAddress],
    [`mail to ${instance.mac('mail asked for', login.normalize('NFKC').trim().toLowerCase())}`, perLogin],
    ['mail', altogether],
  ] as const;
  for (const [bucket, limit] of buckets) {
    const allowance = await store.takeFrom(bucket, limit, now() * 1000);
    if (!allowance.allowed) return allowance;
  }
  return { allowed: true };
}
