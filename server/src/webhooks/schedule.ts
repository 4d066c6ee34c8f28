/**
 * When a delivery that failed is tried again: each pause a little longer than planned, and not before its receiver asks (RFC 9110 §10.2.3). Pure: `now` is an argument, and
 * chance is a hash of which attempt it is. Not here: the pauses themselves (storage/tables/webhooks.ts).
 */
import { sha256 } from '../crypto/hash.ts';
import type { DueDelivery } from '../storage/store.ts';

/** A receiver that says a wrong number must not keep its operator from hearing of an attack. */
const MOST_REST_SECONDS = 3600;
const SHARE_OF_PAUSE = 0.2;

/** When the next attempt is due: up to a fifth of the pause later, so that what failed together does not come back together. */
export function spread({ webhook, eventId, attempt, dueAt }: Omit<DueDelivery, 'event' | 'last'>, now: number): number {
  const chance = Buffer.from(sha256(`${webhook.id} ${eventId} ${attempt}`), 'base64url').readUInt32BE() / 2 ** 32;
  return dueAt + Math.floor((dueAt - now) * SHARE_OF_PAUSE * chance);
}

/** Until when a receiver wants to be left alone, at most an hour: `delay-seconds` or an HTTP date. Nothing for what is neither, or over. */
export function restOf(retryAfter: string | null, now: number): number | undefined {
  const asked = retryAfter?.trim() ?? '';
  const until = /^\d+$/.test(asked) ? now + Number(asked) : /^[A-Z][a-z]{2}, .* GMT$/.test(asked) ? Math.ceil(Date.parse(asked) / 1000) : 0;
  return until > now ? Math.min(until, now + MOST_REST_SECONDS) : undefined;
}
