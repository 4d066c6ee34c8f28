/**
 * Guessing slowed down: tries per bucket (an account and an address, hashed by the caller). A try is counted before it is made, so parallel guesses cannot
 * share one; after three failures each try waits 1, 2, 4 … 900 seconds (LOG-05). A bucket is forgotten a day after its last counted try. Guesses of short codes
 * are counted in windows instead (DEV-03).
 */
import { type Driver, sql } from '../driver.ts';
import { whole } from '../row.ts';
import type { Allowance, Store } from '../store.ts';

const FORGOTTEN_AFTER_SECONDS = 86_400;

type Try = { tenant: string; bucket: string; now: number; expiresAt: number };
// `1 << (failures - 2)` is the wait after the next failure; from the 12th on it would exceed the cap.
const count = sql<Try>`insert into attempts (tenant, bucket, failures, blocked_until, expires_at) values (${'tenant'}, ${'bucket'}, 1, 0, ${'expiresAt'})
  on conflict (tenant, bucket) do update set
    failures = case when attempts.expires_at <= ${'now'} then 1 else attempts.failures + 1 end,
    blocked_until = case when attempts.expires_at <= ${'now'} or attempts.failures < 2 then 0
      when attempts.failures >= 12 then cast(${'now'} as bigint) + 900
      else cast(${'now'} as bigint) + (1 << (attempts.failures - 2)) end,
    expires_at = excluded.expires_at
  where attempts.blocked_until <= ${'now'}
  returning failures`;
const blocked = sql<{ tenant: string; bucket: string }>`select blocked_until from attempts where tenant = ${'tenant'} and bucket = ${'bucket'}`;
const forgive = sql<{ tenant: string; bucket: string }>`delete from attempts where tenant = ${'tenant'} and bucket = ${'bucket'}`;

type Guess = { tenant: string; bucket: string; now: number; most: number; expiresAt: number };
const guess = sql<Guess>`insert into attempts (tenant, bucket, failures, blocked_until, expires_at) values (${'tenant'}, ${'bucket'}, 1, 0, ${'expiresAt'})
  on conflict (tenant, bucket) do update set
    failures = case when attempts.expires_at <= ${'now'} then 1 else attempts.failures + 1 end,
    expires_at = case when attempts.expires_at <= ${'now'} then excluded.expires_at else attempts.expires_at end
  where attempts.expires_at <= ${'now'} or attempts.failures < ${'most'}
  returning failures`;
const windowEnd = sql<{ tenant: string; bucket: string }>`select expires_at from attempts where tenant = ${'tenant'} and bucket = ${'bucket'}`;
const takeBack = sql<{ tenant: string; bucket: string }>`update attempts set failures = failures - 1
  where tenant = ${'tenant'} and bucket = ${'bucket'} and failures > 0`;

type Verbs = 'attempt' | 'forgiveAttempts' | 'countGuess' | 'takeGuessBack';

export function attemptsTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  return {
    async attempt(bucket, now): Promise<Allowance> {
      const [counted] = await driver.write([count({ tenant, bucket, now, expiresAt: now + FORGOTTEN_AFTER_SECONDS })]);
      if (counted?.rows.length === 1) return { allowed: true };
      const [row] = await driver.read(blocked({ tenant, bucket }));
      // Forgiven between the two statements: let the person ask again in a second.
      return { allowed: false, retryAfter: row === undefined ? 1 : Math.max(1, whole(row.blocked_until) - now) };
    },
    async forgiveAttempts(bucket) {
      await driver.write([forgive({ tenant, bucket })]);
    },
    async countGuess(bucket, { most, windowSeconds }, now): Promise<Allowance> {
      const [counted] = await driver.write([guess({ tenant, bucket, now, most, expiresAt: now + windowSeconds })]);
      if (counted?.rows.length === 1) return { allowed: true };
      const [row] = await driver.read(windowEnd({ tenant, bucket }));
      return { allowed: false, retryAfter: row === undefined ? 1 : Math.max(1, whole(row.expires_at) - now) };
    },
    async takeGuessBack(bucket) {
      await driver.write([takeBack({ tenant, bucket })]);
    },
  };
}
