/**
 * How often anybody may have mail sent: from one address, for one name from there, to one account or mailbox, and altogether. What is answered depends on what was typed
 * and from where, so a limit tells nothing of who has an account, and nobody is kept out by a stranger elsewhere (RATE-05). What is kept from a mailbox is kept in silence.
 */
import { addressBucket } from '../clients/address-bucket.ts';
import type { Context, Exchange } from '../context.ts';
import type { Allowance, User } from '../storage/store.ts';
import { deviceHashOf } from './known-device.ts';

type Place = { exchange: Exchange; context: Context };

/** Counts a mail before anybody is looked for. `login` is an e-mail address or a username, as typed. */
export async function mayAskForMail(login: string, address: string, { instance, limits }: Context): Promise<Allowance> {
  const from = addressBucket(address);
  const buckets = [
    ['mail.address', from],
    ['mail.account', instance.mac('mail asked for', written(login), from)],
    ['mail', undefined],
  ] as const;
  for (const [limit, who] of buckets) {
    const allowance = await limits.take(limit, who);
    if (!allowance.allowed) return allowance;
  }
  return { allowed: true };
}

/**
 * Whether the mail that was asked for goes out, counted by the account: its name and its address are one. Never part of the answer, or the limit of one name would tell whose
 * the other is. A browser in which the person signed in before has an allowance that nobody elsewhere can use up.
 */
export async function goesOut({ user, login }: { user: User | undefined; login: string }, { exchange, context }: Place): Promise<boolean> {
  const { instance, limits, store } = context;
  const userId = user?.id ?? '';
  const deviceHash = deviceHashOf({ id: userId }, exchange, context);
  // Asked for nobody, too: the work is the same.
  const known = (await store.knowsDevice({ userId, deviceHash }, context.now())) === 'known';
  const mailbox = user === undefined ? written(login) : `account ${user.id}`;
  const taken = await Promise.all([
    limits.take('mail.account', instance.mac('mail of account and address', mailbox, addressBucket(exchange.address))),
    known ? limits.take('mail.known', deviceHash) : limits.take('mail.recipient', instance.mac('mail to', mailbox)),
  ]);
  const allowed = taken.every((allowance) => allowance.allowed);
  if (!allowed) context.log.warn('mail.limited', { request_id: exchange.requestId });
  return allowed;
}

const written = (login: string): string => login.normalize('NFKC').trim().toLowerCase();
