/**
 * Buckets in the memory of this node: the generic cell rate algorithm with one number per key, the moment at which its bucket is full again. The same rule as
 * storage/tables/limits.ts, without a statement. Pure but for what it remembers; time is an argument.
 */
import type { Policy } from './policies.ts';

export type NodeBuckets = {
  /** Takes one. Returns 0, or how long to wait in milliseconds; a refused one costs nothing. */
  take(key: string, nowMs: number): number;
  readonly size: number;
};

/** Keys that are remembered at most; who is forgotten begins with a full bucket. */
const mostKeys = 10_000;

export function nodeBuckets({ limit, periodSeconds }: Policy, most = mostKeys): NodeBuckets {
  const window = periodSeconds * 1000;
  const step = window / limit;
  // Forgives the rounding of as many additions as a bucket holds, and nobody who comes a millisecond early.
  const rounding = Math.min(step, 1) / 2;
  // Times are kept relative to the first, or their fractions would be lost beside the milliseconds since 1970.
  let origin: number | undefined;
  const fullAt = new Map<string, number>();

  function makeRoom(now: number): void {
    for (const [key, at] of fullAt) if (at <= now) fullAt.delete(key);
    const [oldest] = fullAt.keys();
    if (fullAt.size >= most && oldest !== undefined) fullAt.delete(oldest);
  }

  return {
    take(key, nowMs) {
      origin ??= nowMs;
      const now = nowMs - origin;
      // What is further away than a window was written before the clock went back: nobody is punished for that.
      const kept = fullAt.get(key);
      const known = kept !== undefined && kept > now + window + step ? undefined : kept;
      const at = (known === undefined || known < now ? now : known) + step;
      if (at > now + window + rounding) return at - window - now;
      if (known === undefined && fullAt.size >= most) makeRoom(now);
      fullAt.set(key, at);
      return 0;
    },
    get size() {
      return fullAt.size;
    },
  };
}
