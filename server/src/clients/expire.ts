/**
 * Ends registrations that nobody uses, by last use and never by age. Each leaves a tombstone, so that a browser which still comes with it is sent back with
 * `unauthorized_client` and the client can register again (architecture decision 11).
 */
import type { Context } from '../context.ts';

/** Rows of one batch: no write lock is held long. */
const batch = 500;

/** For the sweep: one batch by the operator's times. Returns how many clients went; call again while it is more than 0. */
export function expireClients(context: Context): Promise<number> {
  return expireUnusedFor(context.options.clients.unusedSeconds, context);
}

/** One batch of clients without a living grant that were not used for so many seconds. */
export function expireUnusedFor(seconds: number, context: Context): Promise<number> {
  const now = context.now();
  return context.store.expireDynamicClients(now - seconds, now - context.options.clients.tombstoneSeconds, batch, now);
}
