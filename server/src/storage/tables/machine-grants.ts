/**
 * The grants of machines (client_credentials): at most one living grant per client and resource, which the unique index `grants_machine` enforces.
 */
import { type Driver, part, sql } from '../driver.ts';
import { json, text } from '../row.ts';
import type { Grant, Store } from '../store.ts';
import { noteConsent } from './clients.ts';
import { eventIfGrant, type GrantRow, grantLives, grantRow, insertGrant } from './grants.ts';

type Place = { tenant: string; clientId: string; resource: string; now: number };
const ofMachine = part<'tenant' | 'clientId' | 'resource'>`tenant = ${'tenant'} and client_id = ${'clientId'} and resource = ${'resource'}
  and user_id is null and revoked_at is null`;
const find = sql<Place>`select g.id as g_id, g.scope as g_scope, g.hold_id as g_hold_id from grants g where ${ofMachine} and ${grantLives}`;
const endExpired = sql<Place>`update grants set revoked_at = ${'now'}, revoked_reason = 'expired' where ${ofMachine} and expires_at <= ${'now'}`;
const add = sql<GrantRow>`${insertGrant} where true on conflict do nothing`;
const widen = sql<{ tenant: string; id: string; was: string; scope: string; mark: string }>`update grants set scope = ${'scope'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'} and scope = ${'was'} and revoked_at is null`;
/** Two racers can make each other look again only by succeeding, so a handful of rounds is plenty. */
const ROUNDS = 20;

export function machineGrantsTable(driver: Driver, tenant: string): Pick<Store, 'ensureMachineGrant'> {
  return {
    async ensureMachineGrant(grant, event) {
      const place = { tenant, clientId: grant.clientId, resource: grant.resource, now: grant.createdAt };
      for (let round = 0; round < ROUNDS; round++) {
        const [row] = await driver.read(find(place));
        if (row === undefined) {
          await driver.write([
            endExpired(place),
            add(machineRow(tenant, grant, event.id)),
            eventIfGrant(tenant, grant.id, event),
            noteConsent({ ...place, grantId: grant.id }),
          ]);
          continue;
        }
        const id = text(row.g_id);
        const scope = json<string[]>(row.g_scope);
        const missing = grant.scope.filter((name) => !scope.includes(name));
        if (row.g_hold_id !== null) return { id, scope, paused: true };
        if (missing.length === 0) return { id, scope };
        const widened = JSON.stringify([...scope, ...missing]);
        await driver.write([
          widen({ tenant, id, was: text(row.g_scope), scope: widened, mark: event.id }),
          eventIfGrant(tenant, id, { ...event, grantId: id }),
        ]);
      }
      throw new Error('A machine grant kept changing while it was being ensured');
    },
  };
}

function machineRow(tenant: string, grant: Grant, mark: string): GrantRow {
  return { ...grantRow(tenant, grant, mark), userId: null };
}
