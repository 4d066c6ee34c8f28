/**
 * Through which grant another one was used (RFC 8693): an agent allowed at one server was served there by calling the next. What a token exchange needs to
 * know of the person's approvals, and what they see of the chain. Tokens carry the chain themselves; nothing here decides whether one still stands.
 */
import { type Driver, sql } from '../driver.ts';
import { optionalText, optionalWhole, present, text, whole } from '../row.ts';
import type { Store } from '../store.ts';
import { eventIf } from './audit-events.ts';
import { grantColumns, grantLives, grantOf, grantStands, joinPerson } from './grants.ts';

/** Approvals looked at, newest first: more than these of one client at one resource are the same question asked again. */
const approvalsRead = 10;

type Approvals = { tenant: string; userId: string; clientId: string; resource: string; subjectGrantId: string; now: number; limit: number };
const approvals = sql<Approvals>`select ${grantColumns}, d.last_used_at as noted_at from grants g
  left join delegations d on d.tenant = g.tenant and d.grant_id = g.id and d.subject_grant_id = ${'subjectGrantId'} ${joinPerson}
  where g.tenant = ${'tenant'} and g.user_id = ${'userId'} and g.client_id = ${'clientId'} and g.resource = ${'resource'} and ${grantStands}
  order by g.created_at desc, g.id desc limit ${'limit'}`;

type DelegationRow = { tenant: string; grantId: string; subjectGrantId: string; userId: string; now: number; expiresAt: number; mark: string };
const note = sql<DelegationRow>`insert into delegations (tenant, grant_id, subject_grant_id, user_id, created_at, last_used_at, expires_at, last_event)
  values (${'tenant'}, ${'grantId'}, ${'subjectGrantId'}, ${'userId'}, ${'now'}, ${'now'}, ${'expiresAt'}, ${'mark'})
  on conflict (tenant, grant_id, subject_grant_id) do update set last_used_at = excluded.last_used_at
  where delegations.last_used_at < excluded.last_used_at`;

/** A row carries the mark of the batch that made it, and no later one: the event is of the first use. */
const eventIfNew = eventIf('delegations', 'grant_id');

const ofPerson = sql<{ tenant: string; userId: string; now: number }>`select d.grant_id as grant_id, d.last_used_at as last_used_at, g.client_id as client_id,
    g.resource as resource, s.name as server_name
  from delegations d
  join grants g on g.tenant = d.tenant and g.id = d.subject_grant_id
  left join servers s on s.tenant = g.tenant and s.id = g.server_id
  where d.tenant = ${'tenant'} and d.user_id = ${'userId'} and ${grantLives} order by d.last_used_at desc, d.grant_id, d.subject_grant_id`;

type Verbs = 'listApprovals' | 'noteDelegation' | 'listDelegations';

export function delegationsTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  return {
    async listApprovals(key, now) {
      const rows = await driver.read(approvals({ tenant, ...key, now, limit: approvalsRead }));
      return rows.map((row) => present({ grant: grantOf(row), notedAt: optionalWhole(row.noted_at) }));
    },
    async noteDelegation(delegation, event) {
      await driver.write([note({ tenant, ...delegation, now: event.at, mark: event.id }), eventIfNew(tenant, delegation.grantId, event)]);
    },
    async listDelegations(userId, now) {
      return (await driver.read(ofPerson({ tenant, userId, now }))).map((row) =>
        present({
          grantId: text(row.grant_id),
          clientId: text(row.client_id),
          resource: text(row.resource),
          serverName: optionalText(row.server_name),
          lastUsedAt: whole(row.last_used_at),
        }),
      );
    },
  };
}
