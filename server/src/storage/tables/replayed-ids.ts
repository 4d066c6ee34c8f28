/**
 * Ids that may be used once (RFC 7523 §3, RFC 9449 §11.1): of any number of parallel uses, on any node, one wins. What an id is a hash of is the caller's to say.
 */
import { type Driver, sql } from '../driver.ts';
import type { OneTimeUse, Store } from '../store.ts';

// A use that is over does not wait for the sweep: the answer never depends on when that ran.
const use = sql<OneTimeUse & { tenant: string }>`insert into replayed_ids (tenant, kind, id_hash, expires_at)
  values (${'tenant'}, ${'kind'}, ${'idHash'}, ${'expiresAt'})
  on conflict (tenant, kind, id_hash) do update set expires_at = excluded.expires_at where replayed_ids.expires_at <= ${'now'}`;

export function replayedIdsTable(driver: Driver, tenant: string): Pick<Store, 'useOnce'> {
  return {
    async useOnce(once) {
      const [used] = await driver.write([use({ tenant, ...once })]);
      return used?.changes === 1;
    },
  };
}
