/**
 * Grants whose refresh family is over, or that never had one and are as old as a family can be: nothing can use them any more, so they end, and are told of. One commit for each, under its own event: whichever node comes
 * first ends it, and the others find nothing.
 */
import { type Driver, literal, part, type Row, sql } from '../driver.ts';
import { optionalText, present, text, whole } from '../row.ts';
import type { OverGrant, Store } from '../store.ts';
import { endFamiliesIfMarked, eventIfGrant, grantColumns, grantOf } from './grants.ts';

type Listing = { tenant: string; since: number; now: number; limit: number };
/** Another living grant of the agent, whose family ends later; of several that ended together, the one with the greatest id is the last. */
const another = literal(`select 1 from grants o cross join refresh_tokens f
    where f.tenant = o.tenant and f.grant_id = coalesce(o.approved_with, o.id) and o.tenant = g.tenant and o.user_id = g.user_id and o.client_id = g.client_id and o.resource = g.resource and o.id <> g.id and o.revoked_at is null
    and f.revoked_at is null and (f.idle_expires_at > r.idle_expires_at or (f.idle_expires_at = r.idle_expires_at and o.id > g.id)) limit 1`);
// Few are over and many a tenant's: joined to nothing, the tenant is no reason for SQLite to walk the tenant's index; cross joins keep its order.
const overBy = (
  key: 'id' | 'approved_with',
  also = '',
) => sql<Listing>`select ${grantColumns}, u.email as email, u.language as language, s.name as server_name, r.rotated_at as rotated_at,
    r.idle_expires_at as idle_expires_at, r.expires_at as family_expires_at, coalesce((${another}), 0) as stays
  from refresh_tokens r
  join grants g on g.tenant = r.tenant and g.${literal(key)} = r.grant_id and g.revoked_at is null ${literal(also)}
  join users u on u.tenant = g.tenant and u.id = g.user_id
  left join servers s on s.tenant = g.tenant and s.id = g.server_id
  where r.tenant || '' = ${'tenant'} and r.idle_expires_at >= ${'since'} and r.idle_expires_at <= ${'now'} order by r.idle_expires_at, g.id limit ${'limit'}`;
const over = overBy('id');
/** What was approved together with the grant of the family. */
const overTogether = overBy('approved_with', 'and g.id <> r.grant_id');

type Endless = Listing & { lifetime: number };
/** A later living grant of the agent. */
const later = part<'now'>`select 1 from grants o where o.tenant = g.tenant and o.user_id = g.user_id and o.client_id = g.client_id and o.resource = g.resource
    and (o.created_at, o.id) > (g.created_at, g.id) and o.revoked_at is null and (o.expires_at is null or o.expires_at > ${'now'}) limit 1`;
// What speaks for a server has no family, and lasts.
const withoutFamily = sql<Endless>`select ${grantColumns}, u.email as email, u.language as language, s.name as server_name, g.created_at as rotated_at,
    g.created_at + cast(${'lifetime'} as bigint) as idle_expires_at, g.created_at + cast(${'lifetime'} as bigint) as family_expires_at, coalesce((${later}), 0) as stays
  from grants g
  join users u on u.tenant = g.tenant and u.id = g.user_id
  left join servers s on s.tenant = g.tenant and s.id = g.server_id
  where g.tenant || '' = ${'tenant'} and g.user_id is not null and g.revoked_at is null and g.expires_at is null
    and g.created_at >= cast(${'since'} as bigint) - cast(${'lifetime'} as bigint)
    and g.created_at <= cast(${'now'} as bigint) - cast(${'lifetime'} as bigint)
    and coalesce((select 1 from refresh_tokens r where r.tenant = g.tenant and r.grant_id = coalesce(g.approved_with, g.id) limit 1), 0) = 0
    and coalesce((select 1 from clients c where c.tenant = g.tenant and c.id = g.client_id and c.server_id is not null), 0) = 0
  order by g.created_at, g.id limit ${'limit'}`;

type Lapse = { tenant: string; subject: string; now: number; reason: string; mark: string };
/** True in SQL when every family of grant `subject` is over. */
const isOver = part<'tenant' | 'subject' | 'now'>`not exists (select 1 from refresh_tokens r
    where r.tenant = ${'tenant'} and r.revoked_at is null
    and r.grant_id = (select coalesce(k.approved_with, k.id) from grants k where k.tenant = ${'tenant'} and k.id = ${'subject'}) and r.idle_expires_at > ${'now'})`;
const lapse = sql<Lapse>`update grants set revoked_at = ${'now'}, revoked_reason = ${'reason'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'subject'} and revoked_at is null and ${isOver}`;

export function lapsesTable(driver: Driver, tenant: string): Pick<Store, 'listOverGrants' | 'lapseGrant'> {
  return {
    async listOverGrants(asked) {
      const { limit } = asked;
      const lists = [...[over, overTogether].map((list) => list({ tenant, ...asked })), withoutFamily({ tenant, ...asked })];
      const rows = await Promise.all(lists.map((list) => driver.read(list)));
      return rows
        .flat()
        .map(overGrantOf)
        .toSorted((one, two) => one.idleExpiresAt - two.idleExpiresAt)
        .slice(0, limit);
    },
    async lapseGrant(grantId, reason, event) {
      const ending = { tenant, subject: grantId, now: event.at, reason, mark: event.id };
      const [lapsed] = await driver.write([lapse(ending), endFamiliesIfMarked(ending), eventIfGrant(tenant, grantId, event)]);
      return lapsed?.changes === 1;
    },
  };
}

function overGrantOf(row: Row): OverGrant {
  return present({
    ...grantOf(row),
    user: present({ id: text(row.g_user_id), email: optionalText(row.email), language: optionalText(row.language) }),
    serverName: optionalText(row.server_name),
    rotatedAt: whole(row.rotated_at),
    idleExpiresAt: whole(row.idle_expires_at),
    familyExpiresAt: whole(row.family_expires_at),
    staysConnected: row.stays === 1,
  });
}
