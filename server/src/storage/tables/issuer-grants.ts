/**
 * Grants that stand on the word of a trusted issuer instead of a consent: one grant per issuer, person, client and resource that nobody ended,
 * prolonged by each assertion. One that is over lives again with the next, so that a pause and a reduction outlast the silence of the issuer.
 */
import { type Driver, part, sql } from '../driver.ts';
import { json, optionalJson, present, text } from '../row.ts';
import type { Store } from '../store.ts';
import { noteConsent } from './clients.ts';
import { eventIfGrant, type GrantRow, grantLives, grantRow, insertGrant, joinPerson, notPaused } from './grants.ts';
import { lockUse, mayUse } from './server-people.ts';
import { isTrusted, lockIssuer } from './trusted-issuers.ts';

type Place = { tenant: string; issuer: string; userId: string; clientId: string; resource: string; now: number };
const find = sql<Place>`select g.id as g_id, g.scope as g_scope, g.removed_scope as g_removed_scope,
    case when ${grantLives} then 1 else 0 end as lives, case when ${notPaused} then 0 else 1 end as paused
  from issuer_grants i join grants g on g.tenant = i.tenant and g.id = i.grant_id ${joinPerson}
  where i.tenant = ${'tenant'} and i.issuer = ${'issuer'} and i.user_id = ${'userId'} and i.client_id = ${'clientId'} and i.resource = ${'resource'} and g.revoked_at is null`;
type Claim = Omit<Place, 'now'> & { grantId: string };
type FirstClaim = Claim & { serverId: string | null };
/** Of several at once each waits here for the one before it, and the next statement sees what that one left. None where the issuer is believed no more, or the server is not for the person (AZ-37). */
const claim = sql<FirstClaim>`insert into issuer_grants (tenant, issuer, user_id, client_id, resource, grant_id)
  select cast(${'tenant'} as text), cast(${'issuer'} as text), cast(${'userId'} as text), cast(${'clientId'} as text), cast(${'resource'} as text),
    cast(${'grantId'} as text) where ${isTrusted} and ${mayUse}
  on conflict (tenant, issuer, user_id, client_id, resource) do update set grant_id = issuer_grants.grant_id`;
const ofPlace = part<
  keyof Claim
>`tenant = ${'tenant'} and issuer = ${'issuer'} and user_id = ${'userId'} and client_id = ${'clientId'} and resource = ${'resource'}`;
const succeed = sql<Claim>`update issuer_grants set grant_id = ${'grantId'} where ${ofPlace}
  and not exists (select 1 from grants g where g.tenant = issuer_grants.tenant and g.id = issuer_grants.grant_id and g.revoked_at is null)`;
const add = sql<GrantRow & { issuer: string; grantId: string; userId: string }>`${insertGrant}
  where exists (select 1 from issuer_grants where ${ofPlace} and grant_id = ${'grantId'})`;
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
          const claimed = { ...place, grantId: grant.id };
          const locks = [...lockIssuer(driver, place), ...lockUse(driver, tenant, [grant])];
          const written = await driver.write([
            ...locks,
            claim({ ...claimed, serverId: grant.serverId ?? null }),
            succeed(claimed),
            add({ ...grantRow(tenant, grant, event.id), ...claimed }),
            eventIfGrant(tenant, grant.id, event),
            noteConsent(claimed),
          ]);
          if (written[locks.length]?.changes === 0) return undefined;
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
