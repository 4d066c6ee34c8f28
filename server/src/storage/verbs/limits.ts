/**
 * Limits that all nodes share. Part of the store.
 */

/** `retryAfter`: how long to wait, in seconds; `headers` say of which limit (limits/limits.ts adds them). */
export type Allowance = { allowed: true } | { allowed: false; retryAfter: number; headers?: Readonly<Record<string, string>> };

export type LimitVerbs = {
  /** Counts a try before it is made; blocked tries do not count. After 3 failures waits 1, 2, 4 … 900 s (LOG-05). */
  attempt(bucket: string, now: number): Promise<Allowance>;
  forgiveAttempts(bucket: string): Promise<void>;
  /** Counts a guess before it is made: `most` in a window that begins with the first. Blocked guesses do not count. */
  countGuess(bucket: string, limit: { most: number; windowSeconds: number }, now: number): Promise<Allowance>;
  /** Takes the count of a guess that was right back; the wrong ones stay. */
  takeGuessBack(bucket: string): Promise<void>;
  /** Takes one from a bucket that refills evenly: `limit` per `periodSeconds`, GCRA in one statement. `nowMs` in milliseconds. */
  takeFrom(bucket: string, limit: { limit: number; periodSeconds: number }, nowMs: number): Promise<Allowance>;
  /** Puts one back that was taken under the same limit; a full bucket stays full. */
  giveBackTo(bucket: string, limit: { limit: number; periodSeconds: number }): Promise<void>;
};
