/**
 * Security events. Other tables take `insertEvent` or `eventIf` into the batch of the change they record; a change that lost its race leaves no event,
 * because `eventIf` looks for its own mark (`last_event`) on the changed row. Mail rides on its event. What the events
 * become together is in audit-chain.ts.
 */
import type { AuditEvent, EventType } from '../../audit/event.ts';
import { type Driver, literal, part, type Row, type Statement, sql } from '../driver.ts';
import { optionalJson, optionalText, optionalWhole, present, text, whole } from '../row.ts';
import { type EventFilter, ROOT_TENANT, type Store } from '../store.ts';
import { mailIfRecorded } from './outbox.ts';

export const eventColumns = 'tenant, id, at, type, actor, user_id, client_id, server_id, grant_id, address, request_id, detail';
const columns = literal(eventColumns);

type EventRow = {
  tenant: string;
  id: string;
  at: number;
  type: string;
  actor: string;
  userId: string | null;
  clientId: string | null;
  serverId: string | null;
  grantId: string | null;
  address: string | null;
  requestId: string | null;
  detail: string | null;
};

// Postgres takes a bare parameter in a select list for text, so every one is cast.
const selected = part<
  keyof EventRow
>`cast(${'tenant'} as text), cast(${'id'} as text), cast(${'at'} as bigint), cast(${'type'} as text), cast(${'actor'} as text),
  cast(${'userId'} as text), cast(${'clientId'} as text), cast(${'serverId'} as text), cast(${'grantId'} as text), cast(${'address'} as text),
  cast(${'requestId'} as text), cast(${'detail'} as text)`;

const insert = sql<EventRow>`insert into audit_events (${columns}) select ${selected}`;

/** Records an event whatever the other statements of the batch did. */
export function insertEvent(tenant: string, event: AuditEvent): Statement {
  return withMail(insert(eventRow(tenant, event)), tenant, event);
}

/** Mail that tells about the event goes with it, whichever verb records it. */
function withMail(statement: Statement, tenant: string, event: AuditEvent): Statement {
  return event.mail === undefined ? statement : { ...statement, riders: mailIfRecorded(tenant, event) };
}

type Marked =
  | 'audit_chains'
  | 'users'
  | 'sessions'
  | 'passkeys'
  | 'second_factors'
  | 'recovery_codes'
  | 'owner_tokens'
  | 'setup_links'
  | 'one_time_links'
  | 'servers'
  | 'server_keys'
  | 'server_people'
  | 'access_requests'
  | 'clients'
  | 'registration_tokens'
  | 'authorization_requests'
  | 'device_codes'
  | 'grants'
  | 'revoked_tokens'
  | 'delegations'
  | 'signing_keys'
  | 'trusted_issuers'
  | 'identity_links'
  | 'workloads'
  | 'assertion_targets'
  | 'upstreams'
  | 'upstream_identities'
  | 'webhooks';

/** Makes the statement that records an event only if the row `key = subject` of `table` carries the event's id as its mark. */
export function eventIf(table: Marked, key: string): (tenant: string, subject: string, event: AuditEvent) => Statement {
  const guarded = sql<EventRow & { subject: string }>`insert into audit_events (${columns}) select ${selected}
    where exists (select 1 from ${literal(table)} where tenant = ${'tenant'} and ${literal(key)} = ${'subject'} and last_event = ${'id'})`;
  return (tenant, subject, event) => withMail(guarded({ ...eventRow(tenant, event), subject }), tenant, event);
}

const ifTenant = sql<EventRow & { subject: string }>`insert into audit_events (${columns}) select ${selected}
    where exists (select 1 from tenants where tenant = ${'subject'} and last_event = ${'id'})`;

/** Makes the statement that records an event about a tenant, in the root tenant, only if the tenant carries the event's id as its mark. */
export function eventIfTenant(subject: string, event: AuditEvent): Statement {
  return ifTenant({ ...eventRow(ROOT_TENANT, event), subject });
}

/** A hold stops or releases many grants in one act: each person finds it among their own events, once however often the act is completed. */
const forEachGrant = sql<
  Omit<EventRow, 'userId' | 'clientId' | 'serverId' | 'grantId'>
>`insert into audit_events (${columns}) select g.tenant, cast(${'id'} as text) || '.' || g.id, cast(${'at'} as bigint),
    cast(${'type'} as text), cast(${'actor'} as text), g.user_id, g.client_id, g.server_id, g.id, cast(${'address'} as text), cast(${'requestId'} as text),
    cast(${'detail'} as text)
  from grants g where g.tenant = ${'tenant'} and g.last_event = ${'id'}
  on conflict do nothing`;

/** Makes the statement that records an event about every grant that carries its id as its mark. */
export function eventForEachGrant(tenant: string, event: AuditEvent): Statement {
  const { userId: _user, clientId: _client, serverId: _server, grantId: _grant, ...row } = eventRow(tenant, event);
  return forEachGrant(row);
}

type Filtered = { tenant: string; userId: string | null; clientId: string | null; grantId: string | null; type: string | null; since: number; before: number };
type Listing = Filtered & { limit: number };
const ofTenant = part<keyof Filtered>`where tenant = ${'tenant'} and (cast(${'type'} as text) is null or type = ${'type'})
  and (cast(${'clientId'} as text) is null or client_id = ${'clientId'}) and at >= ${'since'} and at < ${'before'}`;
const andGrant = part<keyof Filtered>`and (cast(${'grantId'} as text) is null or grant_id = ${'grantId'})`;
const newest = part<keyof Listing>`order by at desc, id desc limit ${'limit'}`;
const listAll = sql<Listing>`select ${columns} from audit_events ${ofTenant} ${newest}`;
const listOfUser = sql<Listing>`select ${columns} from audit_events ${ofTenant} and user_id = ${'userId'} ${andGrant} ${newest}`;
const listOfGrant = sql<Listing>`select ${columns} from audit_events ${ofTenant} and grant_id = ${'grantId'} ${newest}`;

type Page = Listing & { afterAt: number; afterId: string };
const selectPage = part`select ${columns}, seq, hash from audit_events`;
const following = part<keyof Page>`${andGrant} and (at, id) > (${'afterAt'}, ${'afterId'}) order by at, id limit ${'limit'}`;
const pageAll = sql<Page>`${selectPage} ${ofTenant} ${following}`;
const pageOfUser = sql<Page>`${selectPage} ${ofTenant} and user_id = ${'userId'} ${following}`;

/** No event is from before this, and none from after the other. */
const ever = { since: -1, before: Number.MAX_SAFE_INTEGER };

export function auditEventsTable(driver: Driver, tenant: string): Pick<Store, 'recordEvent' | 'listEvents' | 'pageEvents'> {
  return {
    async recordEvent(event) {
      await driver.write([insertEvent(tenant, event)]);
    },
    async listEvents({ limit, ...filter }) {
      const list = filter.userId !== undefined ? listOfUser : filter.grantId !== undefined ? listOfGrant : listAll;
      return (await driver.read(list({ ...filtered(tenant, filter), limit }))).map(eventOf);
    },
    async pageEvents({ after, limit, ...filter }) {
      const page = filter.userId !== undefined ? pageOfUser : pageAll;
      const rows = await driver.read(page({ ...filtered(tenant, filter), limit, afterAt: after?.at ?? -1, afterId: after?.id ?? '' }));
      return rows.map((row) => present({ ...eventOf(row), seq: optionalWhole(row.seq), hash: optionalText(row.hash) }));
    },
  };
}

function filtered(tenant: string, { userId = null, clientId = null, grantId = null, type = null, since, before }: Nullable<EventFilter>): Filtered {
  return { tenant, userId, clientId, grantId, type, since: since ?? ever.since, before: before ?? ever.before };
}

type Nullable<Type> = { [Key in keyof Type]: Type[Key] | null };

function eventRow(tenant: string, event: AuditEvent): EventRow {
  return {
    tenant,
    id: event.id,
    at: event.at,
    type: event.type,
    actor: event.actor,
    userId: event.userId ?? null,
    clientId: event.clientId ?? null,
    serverId: event.serverId ?? null,
    grantId: event.grantId ?? null,
    address: event.address ?? null,
    requestId: event.requestId ?? null,
    detail: event.detail === undefined ? null : JSON.stringify(event.detail),
  };
}

export function eventOf(row: Row): AuditEvent {
  return present({
    id: text(row.id),
    at: whole(row.at),
    // Only this file writes the column, and only with an EventType.
    type: text(row.type) as EventType,
    actor: text(row.actor),
    userId: optionalText(row.user_id),
    clientId: optionalText(row.client_id),
    serverId: optionalText(row.server_id),
    grantId: optionalText(row.grant_id),
    address: optionalText(row.address),
    requestId: optionalText(row.request_id),
    detail: optionalJson<NonNullable<AuditEvent['detail']>>(row.detail),
  });
}
