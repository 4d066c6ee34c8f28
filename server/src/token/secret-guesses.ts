/**
 * Slows down guessing of client secrets: the store counts failures for all nodes, this node remembers who is blocked, and a good request costs neither a
 * read nor a write (CA-11). A block holds for the right secret too, else it would tell which guess was right.
 */
import type { Context } from '../context.ts';
import { tooManyRequests } from '../errors.ts';

/** Buckets that failed lately on this node, with the second until which they are blocked; 0 when they are not. */
type Blocked = Map<string, number>;

const remembered = 10_000;
const blockedOf = new WeakMap<Context, Blocked>();

export type SecretGuesses = {
  /** @throws {OAuthError} too_many_requests with how long to wait. */
  refuseBlocked(bucket: string): void;
  /** @throws {OAuthError} too_many_requests when the store blocks this bucket. */
  countFailure(bucket: string): Promise<void>;
  forgive(bucket: string): Promise<void>;
};

export function secretGuesses(context: Context): SecretGuesses {
  const blocked = blockedOf.get(context) ?? new Map<string, number>();
  blockedOf.set(context, blocked);
  return {
    refuseBlocked(bucket) {
      const wait = (blocked.get(bucket) ?? 0) - context.now();
      if (wait > 0) throw tooManyRequests(wait);
    },
    async countFailure(bucket) {
      const allowance = await context.store.attempt(`client-secret ${bucket}`, context.now());
      remember(blocked, bucket, allowance.allowed ? 0 : context.now() + allowance.retryAfter);
      if (!allowance.allowed) throw tooManyRequests(allowance.retryAfter);
    },
    async forgive(bucket) {
      if (blocked.delete(bucket)) await context.store.forgiveAttempts(`client-secret ${bucket}`);
    },
  };
}

function remember(blocked: Blocked, bucket: string, until: number): void {
  blocked.delete(bucket);
  const [oldest] = blocked.keys();
  if (blocked.size >= remembered && oldest !== undefined) blocked.delete(oldest);
  blocked.set(bucket, until);
}
