/**
 * How often anybody may have mail sent: from one address, to one account or mailbox, and altogether. Counted by what was typed, whether it exists or not, so that a
 * limit tells nothing (RATE-05). With five tries a code these numbers bound guessing too: 50 tries an hour at 10^8 codes of one account.
 */
import { addressBucket } from '../clients/address-bucket.ts';
import type { Context } from '../context.ts';
import type { Allowance } from '../storage/store.ts';

/** Counts a mail before anybody is looked for. `login` is an e-mail address or a username, as typed. */
export async function mayAskForMail(login: string, address: string, { instance, limits }: Context): Promise<Allowance> {
  const buckets = [
    ['mail.address', addressBucket(address)],
    ['mail.account', instance.mac('mail asked for', login.normalize('NFKC').trim().toLowerCase())],
    ['mail', undefined],
  ] as const;
  for (const [limit, who] of buckets) {
    const allowance = await limits.take(limit, who);
    if (!allowance.allowed) return allowance;
  }
  return { allowed: true };
}
