/**
 * Browsers and networks with which people signed in before. A row lives until that browser has not been seen there for a long time.
 */
import { type Driver, sql } from '../driver.ts';
import type { Store } from '../store.ts';
import { startedByUs } from './session-clients.ts';

/** A little more than a year: who visits once a year is no stranger. */
const KEPT_SECONDS = 400 * 86_400;

type Key = { tenant: string; userId: string; deviceHash: string };
type Noting = Key & { by: string; mark: string };
const note = sql<Noting & { expiresAt: number }>`insert into known_devices (tenant, user_id, device_hash, expires_at)
  select cast(${'tenant'} as text), cast(${'userId'} as text), cast(${'deviceHash'} as text), cast(${'expiresAt'} as bigint) where ${startedByUs}
  on conflict (tenant, user_id, device_hash) do update set expires_at = excluded.expires_at`;

const known = sql<Key & { now: number }>`select max(case when device_hash = ${'deviceHash'} then 1 else 0 end) as known from known_devices
  where tenant = ${'tenant'} and user_id = ${'userId'} and expires_at > ${'now'}`;

/** Notes that somebody signs in from there now, if this batch has started their session `by`. */
export const noteDevice = (key: Noting, now: number) => note({ ...key, expiresAt: now + KEPT_SECONDS });

export function knownDevicesTable(driver: Driver, tenant: string): Pick<Store, 'knowsDevice'> {
  return {
    async knowsDevice(device, now) {
      const [row] = await driver.read(known({ tenant, ...device, now }));
      if (row?.known === 1) return 'known';
      return row?.known === 0 ? 'new' : 'first';
    },
  };
}
