/**
 * Grants that stand on the word of a trusted issuer instead of a consent: one grant per issuer, person, client and resource that nobody ended,
 * prolonged by each assertion. One that is over lives again with the next, so that a pause and a reduction outlast the silence of the issuer.
 */
import { type Driver, sql } from '../driver.ts';
import { json, optionalJson, present, text } from '../row.ts';
import type { Store } from '../store.ts';
import { noteConsent } from './clients.ts';
import { eventIfGrant, type GrantRow, grantLives, grantRow, insertGrant, joinPerson, notPaused } from './grants.ts';

type Place = { tenant: string; issuer: string; userId: string; clientId: string; resource: string; now: number };
const find = sql<Place>`select g.id as g_id, g.scope as g_scope, g.removed_scope as g_removed_scope,
    case when ${grantLives} then 1 else 0 end as lives, case when ${notPaused} then 0 else 1 end as paused
  from issuer_grants i join grants g on g.tenant = i.tenant and g.id = i.grant_id ${joinPerson}
  where i.tenant = ${'tenant'} and i.issuer = ${'issuer'} and i.user_id = ${'userId'} and i.client_id = ${'clientId'} and i.resource = ${'resource'} and g.revoked_at is null`;
const add = sql<GrantRow>`${insertGrant} where true`;
const remember = sql<Omit<Place, 'now'> & { grantId: string }>`insert into issuer_grants (tenant, issuer, user_id, client_id, resource, grant_id)
  values (${'tenant'}, ${'issuer'}, ${'userId'}, ${'clientId'}, ${'resource'}, ${'grantId'})
  on conflict (tenant, issuer, user_id, client_id, resource) do update set grant_id = excluded.grant_id`;
type Prolongation = { tenant: string; id: string; was: string; scope: string; expiresAt: number };
type Revival = Prolongation & { now: number; mark: string };
const prolong = sql<Prolongation>`update grants set scope = ${'scope'},
    expires_at = case when expires_at > ${'expiresAt'} then expires_at else ${'expiresAt'} end
  where tenant = ${'tenant'} and id = ${'id'} and scope = ${'was'} and revoked_at is null`;
const revive = sql<Revival>`update grants set scope = ${'scope'}, expires_at = ${'expiresAt'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'} and scope = ${'was'} and revoked_at is null and expires_at <= ${'now'}`;
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
        const allowed = grant.scope.filter((name) => !removedScope?.includes(name));
        if (allowed.length === 0) return present({ id, removedScope });
        const scope = JSON.stringify(row.lives === 1 ? [...new Set([...json<string[]>(row.g_scope), ...allowed])] : allowed);
        const prolongation = { tenant, id, was, scope, expiresAt };
        const [prolonged] = await driver.write(
          row.lives === 1 ? [prolong(prolongation)] : [revive({ ...prolongation, now, mark: event.id }), eventIfGrant(tenant, id, { ...event, grantId: id })],
        );
        if (prolonged?.changes === 1) return present({ id, removedScope });
      }
      throw new Error('A grant kept changing while it was being prolonged');
    },
  };
}
