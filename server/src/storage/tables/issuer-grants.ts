/**
 * Grants that stand on the word of a trusted issuer instead of a consent: one living grant per issuer, person, client and resource, prolonged by each assertion.
 */
import { type Driver, sql } from '../driver.ts';
import { json, optionalJson, present, text } from '../row.ts';
import type { Store } from '../store.ts';
import { noteConsent } from './clients.ts';
import { eventIfGrant, type GrantRow, grantLives, grantRow, insertGrant, joinPerson, notPaused } from './grants.ts';

type Place = { tenant: string; issuer: string; userId: string; clientId: string; resource: string; now: number };
const find = sql<Place>`select g.id as g_id, g.scope as g_scope, g.removed_scope as g_removed_scope,
    case when ${notPaused} then 0 else 1 end as paused
  from issuer_grants i join grants g on g.tenant = i.tenant and g.id = i.grant_id ${joinPerson}
  where i.tenant = ${'tenant'} and i.issuer = ${'issuer'} and i.user_id = ${'userId'} and i.client_id = ${'clientId'} and i.resource = ${'resource'} and ${grantLives}`;
const add = sql<GrantRow>`${insertGrant} where true`;
const remember = sql<Omit<Place, 'now'> & { grantId: string }>`insert into issuer_grants (tenant, issuer, user_id, client_id, resource, grant_id)
  values (${'tenant'}, ${'issuer'}, ${'userId'}, ${'clientId'}, ${'resource'}, ${'grantId'})
  on conflict (tenant, issuer, user_id, client_id, resource) do update set grant_id = excluded.grant_id`;
const prolong = sql<{ tenant: string; id: string; was: string; scope: string; expiresAt: number }>`update grants set scope = ${'scope'},
    expires_at = case when expires_at > ${'expiresAt'} then expires_at else ${'expiresAt'} end
  where tenant = ${'tenant'} and id = ${'id'} and scope = ${'was'} and revoked_at is null`;
/** Two racers can make each other look again only by succeeding, so a handful of rounds is plenty. */
const ROUNDS = 20;

export function issuerGrantsTable(driver: Driver, tenant: string): Pick<Store, 'ensureIssuerGrant'> {
  return {
    async ensureIssuerGrant({ issuer, grant }, event) {
      const { userId, clientId, resource, createdAt: now, expiresAt } = grant;
      const place = { tenant, issuer, userId, clientId, resource, now };
      for (let round = 0; round < ROUNDS; round++) {
        const [row] = await driver.read(find(place));
        if (row === undefined) {
          await driver.write([
            add(grantRow(tenant, grant, event.id)),
            eventIfGrant(tenant, grant.id, event),
            remember({ ...place, grantId: grant.id }),
            noteConsent({ ...place, grantId: grant.id }),
          ]);
          continue;
        }
        const id = text(row.g_id);
        if (row.paused === 1) return { id, paused: true };
        const was = text(row.g_scope);
        const removedScope = optionalJson<string[]>(row.g_removed_scope);
        const scope = [...new Set([...json<string[]>(row.g_scope), ...grant.scope])].filter((name) => !removedScope?.includes(name));
        const [prolonged] = await driver.write([prolong({ tenant, id, was, scope: JSON.stringify(scope), expiresAt })]);
        if (prolonged?.changes === 1) return present({ id, removedScope });
      }
      throw new Error('A grant kept changing while it was being prolonged');
    },
  };
}
