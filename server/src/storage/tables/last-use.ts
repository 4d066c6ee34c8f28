/**
 * Last-use times of grants, API keys and clients, written in batches from memory. The times only move forward. Sorted by id, so that two nodes lock rows
 * in one order; in small writes, so that nobody waits long.
 */
import { type Driver, literal, type Statement, sql } from '../driver.ts';
import type { Store } from '../store.ts';

const ROWS_PER_WRITE = 50;

type Use = { tenant: string; id: string; at: number };
const touch = (table: 'grants' | 'server_keys' | 'clients') => sql<Use>`update ${literal(table)} set last_used_at = ${'at'}
  where tenant = ${'tenant'} and id = ${'id'} and (last_used_at is null or last_used_at < ${'at'})`;
const touchGrant = touch('grants');
const touchKey = touch('server_keys');
const touchClient = touch('clients');

export function lastUse(driver: Driver, tenant: string): Pick<Store, 'recordUse'> {
  const record = async (uses: Map<string, number>, statement: (use: Use) => Statement) => {
    const sorted = [...uses].sort(([one], [other]) => (one < other ? -1 : 1));
    for (let start = 0; start < sorted.length; start += ROWS_PER_WRITE) {
      await driver.write(sorted.slice(start, start + ROWS_PER_WRITE).map(([id, at]) => statement({ tenant, id, at })));
    }
  };
  return {
    async recordUse({ grants, keys, clients }) {
      await record(grants, touchGrant);
      await record(keys, touchKey);
      await record(clients, touchClient);
    },
  };
}
