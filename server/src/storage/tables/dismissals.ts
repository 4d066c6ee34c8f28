/**
 * What a person does not want to be offered again.
 */
import { type Driver, sql } from '../driver.ts';
import type { Store } from '../store.ts';

type Key = { tenant: string; userId: string; offer: string };
const insert = sql<Key & { now: number }>`insert into dismissals (tenant, user_id, offer, created_at)
  values (${'tenant'}, ${'userId'}, ${'offer'}, ${'now'}) on conflict do nothing`;
const find = sql<Key>`select 1 as found from dismissals where tenant = ${'tenant'} and user_id = ${'userId'} and offer = ${'offer'}`;

export function dismissalsTable(driver: Driver, tenant: string): Pick<Store, 'dismiss' | 'hasDismissed'> {
  return {
    async dismiss(userId, offer, now) {
      await driver.write([insert({ tenant, userId, offer, now })]);
    },
    async hasDismissed(userId, offer) {
      return (await driver.read(find({ tenant, userId, offer }))).length > 0;
    },
  };
}
