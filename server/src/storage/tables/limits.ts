/**
 * Rate limits shared by all nodes: the generic cell rate algorithm in one statement. `arrival_ms` is the moment at which the bucket is full again;
 * one request moves it on by period / limit, and may not move it further than one period into the future.
 */
import { type Driver, sql } from '../driver.ts';
import { whole } from '../row.ts';
import type { Allowance, Store } from '../store.ts';

type Taking = { tenant: string; bucket: string; now: number; step: number; window: number; expiresAt: number };
const take = sql<Taking>`insert into limits (tenant, bucket, arrival_ms, expires_at)
  values (${'tenant'}, ${'bucket'}, cast(${'now'} as bigint) + cast(${'step'} as bigint), ${'expiresAt'})
  on conflict (tenant, bucket) do update set
    arrival_ms = case when limits.arrival_ms > ${'now'} then limits.arrival_ms else cast(${'now'} as bigint) end + cast(${'step'} as bigint),
    expires_at = case when limits.expires_at > excluded.expires_at then limits.expires_at else excluded.expires_at end
  where limits.arrival_ms + cast(${'step'} as bigint) <= cast(${'now'} as bigint) + cast(${'window'} as bigint)
  returning arrival_ms`;
const arrival = sql<{ tenant: string; bucket: string }>`select arrival_ms from limits where tenant = ${'tenant'} and bucket = ${'bucket'}`;

// What it makes earlier than now is taken for now by the next one who takes.
const giveBack = sql<{ tenant: string; bucket: string; step: number }>`update limits set arrival_ms = arrival_ms - cast(${'step'} as bigint)
  where tenant = ${'tenant'} and bucket = ${'bucket'}`;

type Limit = { limit: number; periodSeconds: number };
const stepOf = ({ limit, periodSeconds }: Limit): number => Math.ceil((periodSeconds * 1000) / limit);

export function limitsTable(driver: Driver, tenant: string): Pick<Store, 'takeFrom' | 'giveBackTo'> {
  return {
    async takeFrom(bucket, limit, nowMs): Promise<Allowance> {
      const now = Math.floor(nowMs);
      const step = stepOf(limit);
      const window = step * limit.limit;
      const expiresAt = Math.ceil((now + window) / 1000) + 1;
      const [taken] = await driver.write([take({ tenant, bucket, now, step, window, expiresAt })]);
      if (taken?.rows.length === 1) return { allowed: true };
      const [row] = await driver.read(arrival({ tenant, bucket }));
      const waitMs = row === undefined ? 0 : whole(row.arrival_ms) + step - now - window;
      return { allowed: false, retryAfter: Math.max(1, Math.ceil(waitMs / 1000)) };
    },
    async giveBackTo(bucket, limit) {
      await driver.write([giveBack({ tenant, bucket, step: stepOf(limit) })]);
    },
  };
}
