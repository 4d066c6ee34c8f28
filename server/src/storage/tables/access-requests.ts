/**
 * Questions of people who want to use a server that is for those on its list. A person has one row for a server: a new question takes the place of one that is over.
 */
import { type Driver, literal, part, type Row, type Statement, sql } from '../driver.ts';
import { optionalText, optionalWhole, present, text, whole } from '../row.ts';
import type { AccessDecision, AccessRequest, AccessRequestVerbs } from '../verbs/access-requests.ts';
import { eventIf } from './audit-events.ts';

type Asked = {
  tenant: string;
  id: string;
  serverId: string;
  userId: string;
  message: string;
  createdAt: number;
  expiresAt: number;
  mark: string;
};
/** What stands in the way of asking again: an open question or a no that is not over. Whoever was taken off the list may ask anew. */
const ask = sql<Asked>`insert into access_requests (tenant, id, server_id, user_id, message, created_at, expires_at, last_event)
  select s.tenant, cast(${'id'} as text), s.id, u.id, cast(${'message'} as text), cast(${'createdAt'} as bigint), cast(${'expiresAt'} as bigint), cast(${'mark'} as text)
  from servers s join users u on u.tenant = s.tenant and u.id = ${'userId'} and u.disabled_at is null
  where s.tenant = ${'tenant'} and s.id = ${'serverId'} and s.people is not null
    and not exists (select 1 from server_people p where p.tenant = s.tenant and p.server_id = s.id and p.user_id = u.id)
  on conflict (tenant, server_id, user_id) do update set id = excluded.id, message = excluded.message, created_at = excluded.created_at,
    expires_at = excluded.expires_at, decided_at = null, decision = null, last_event = excluded.last_event
    where access_requests.expires_at <= ${'createdAt'} or access_requests.decision = 'approved'`;

const columns = literal('r.id, r.server_id, r.user_id, r.message, r.created_at, r.expires_at, r.decided_at, r.decision');
const find = sql<{ tenant: string; serverId: string; userId: string; now: number }>`select ${columns} from access_requests r
  where r.tenant = ${'tenant'} and r.server_id = ${'serverId'} and r.user_id = ${'userId'} and r.expires_at > ${'now'}`;
type Listing = { tenant: string; serverId: string | null; now: number; limit: number };
const list = sql<Listing>`select ${columns}, u.username as username, u.name as name, u.email as email, s.name as server_name
  from access_requests r join users u on u.tenant = r.tenant and u.id = r.user_id join servers s on s.tenant = r.tenant and s.id = r.server_id
  where r.tenant = ${'tenant'} and r.decision is null and r.expires_at > ${'now'} and (cast(${'serverId'} as text) is null or r.server_id = ${'serverId'})
  order by r.created_at limit ${'limit'}`;

type Answer = { tenant: string; id: string; decision: string; keptUntil: number; now: number; mark: string };
const decide = sql<Answer>`update access_requests set decision = ${'decision'}, decided_at = ${'now'}, expires_at = ${'keptUntil'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'} and decision is null and expires_at > ${'now'}`;
const marked = part<'tenant' | 'id' | 'mark'>`from access_requests r where r.tenant = ${'tenant'} and r.id = ${'id'} and r.last_event = ${'mark'}`;
const putOnList = sql<Pick<Answer, 'tenant' | 'id' | 'now' | 'mark'>>`insert into server_people (tenant, server_id, user_id, added_at, last_event)
  select r.tenant, r.server_id, r.user_id, cast(${'now'} as bigint), cast(${'mark'} as text) ${marked} on conflict do nothing`;
const eventIfAsked = eventIf('access_requests', 'id');

export function accessRequestsTable(driver: Driver, tenant: string): AccessRequestVerbs {
  return {
    async askForAccess({ id, serverId, userId, message, createdAt, expiresAt }, event) {
      const row = { tenant, id, serverId, userId, message, createdAt, expiresAt, mark: event.id };
      const [asked] = await driver.write([ask(row), eventIfAsked(tenant, id, event)]);
      return asked?.changes === 1;
    },
    async findAccessRequest({ serverId, userId }, now) {
      const [row] = await driver.read(find({ tenant, serverId, userId, now }));
      return row && requestOf(row);
    },
    async listAccessRequests({ serverId, limit }, now) {
      return (await driver.read(list({ tenant, serverId: serverId ?? null, now, limit }))).map((row) =>
        present({
          ...requestOf(row),
          username: text(row.username),
          name: optionalText(row.name),
          email: optionalText(row.email),
          serverName: text(row.server_name),
        }),
      );
    },
    async decideAccess({ id, decision, keptUntil }, event) {
      const answer = { tenant, id, decision, keptUntil, now: event.at, mark: event.id };
      const statements: Statement[] = [decide(answer)];
      if (decision === 'approved') statements.push(putOnList({ tenant, id, now: event.at, mark: event.id }));
      const [decided] = await driver.write([...statements, eventIfAsked(tenant, id, event)]);
      return decided?.changes === 1;
    },
  };
}

function requestOf(row: Row): AccessRequest {
  return present({
    id: text(row.id),
    serverId: text(row.server_id),
    userId: text(row.user_id),
    message: text(row.message),
    createdAt: whole(row.created_at),
    expiresAt: whole(row.expires_at),
    decidedAt: optionalWhole(row.decided_at),
    // Only this file writes the column, and only with these.
    decision: optionalText(row.decision) as AccessDecision | undefined,
  });
}
