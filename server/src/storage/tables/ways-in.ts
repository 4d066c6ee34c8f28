/**
 * How many ways lead into an account. Whatever takes a way away does so only while this is more than one, after locking the person's row in the same batch:
 * of two that take the last two ways at once, the second counts when the first is done.
 */
import { type Driver, part, sql } from '../driver.ts';
import { whole } from '../row.ts';
import type { Store, WaysOn } from '../store.ts';

export type WaysRow = { tenant: string; userId: string; password: number; passkeys: number; upstreams: number; emailCode: number };

export function waysRow(tenant: string, userId: string, ways: WaysOn): WaysRow {
  const { password, passkeys, upstreams, emailCode } = ways;
  return { tenant, userId, password: password ? 1 : 0, passkeys: passkeys ? 1 : 0, upstreams: upstreams ? 1 : 0, emailCode: emailCode ? 1 : 0 };
}

/** The number, in SQL. */
export const waysIn = part<keyof WaysRow>`(
  (select count(*) from credentials where tenant = ${'tenant'} and user_id = ${'userId'} and kind = 'password' and id = '') * cast(${'password'} as integer)
  + (select count(*) from passkeys where tenant = ${'tenant'} and user_id = ${'userId'}) * cast(${'passkeys'} as integer)
  + (select count(*) from upstream_identities where tenant = ${'tenant'} and user_id = ${'userId'}) * cast(${'upstreams'} as integer)
  + (select count(*) from users w where w.tenant = ${'tenant'} and w.id = ${'userId'} and w.email_proven_at is not null) * cast(${'emailCode'} as integer))`;

/** First of the batch that takes a way: whoever comes second waits here. */
export const lockPerson = sql<{ tenant: string; userId: string; mark: string }>`update users set last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'userId'}`;

const count = sql<WaysRow>`select ${waysIn} as ways`;

export function waysInTable(driver: Driver, tenant: string): Pick<Store, 'countWaysIn'> {
  return {
    async countWaysIn(userId, ways) {
      const [row] = await driver.read(count(waysRow(tenant, userId, ways)));
      return whole(row?.ways);
    },
  };
}
