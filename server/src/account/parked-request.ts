/**
 * An authorization request that waits for its person: found by the transaction id in the page's address, and only by the browser that began it (LOG-03).
 * Pages carry the id and nothing else, so there is no URL to tamper with (LOG-04). Not here: what happens to it (authorize/).
 */
import type { Context } from '../context.ts';
import { sha256At } from '../crypto/hash.ts';
import { OAuthError } from '../errors.ts';
import type { ParkedRequest } from '../storage/store.ts';
import type { Browser } from './browser-cookie.ts';

/** @throws {OAuthError} request_expired when there is none, it is too old, or another browser began it: the three look alike. */
export async function parkedRequest(tx: string | undefined, browser: Browser | undefined, context: Context): Promise<ParkedRequest> {
  const parked = isTransaction(tx) ? await context.store.findRequest(sha256At(tx), context.now()) : undefined;
  // The row outlives the decision by the life of a code, so that the way back can be shown again.
  const late = parked?.answeredAt === undefined && context.now() >= (parked?.createdAt ?? 0) + context.options.requestSeconds;
  if (!parked || late || parked.browserHash !== browser?.hash)
    throw new OAuthError('request_expired', 'The request is unknown here, too old, or began in another browser');
  return parked;
}

/** Whether the text could be a transaction id of ours. */
export function isTransaction(tx: string | undefined): tx is string {
  return tx !== undefined && /^[A-Za-z0-9_-]{20,64}$/.test(tx);
}
