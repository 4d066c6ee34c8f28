/**
 * Grants: what a person (or, for machines, the registration) allows a client to do at one resource. Codes, refresh families and access tokens hang from a
 * grant and stand only while it does. Every verb that ends a grant ends its refresh families in the same commit, grants first: one lock order for all.
 */
import { aliased, type Driver, literal, part, type Row, type Statement, sql } from '../driver.ts';
import { json, optionalJson, optionalText, optionalWhole, present, text, whole } from '../row.ts';
import type { AllowedScope, ConnectedAgent, Grant, GrantState, Standing, Store } from '../store.ts';
import { eventIf } from './audit-events.ts';

/** Columns of a grant under the alias `g`; {@link grantOf} reads them. */
export const grantColumns = aliased('g', [
  'id',
  'user_id',
  'client_id',
  'server_id',
  'resource',
  'scope',
  'redirect_uri',
  'client_digest',
  'receipt',
  'created_at',
  'last_used_at',
  'expires_at',
  'once',
  'revoked_at',
  'revoked_reason',
  'paused_at',
  'hold_id',
  'removed_scope',
  'approved_with',
]);

/** True in SQL when grant `g` is neither revoked nor over at `now`. */
export const grantLives = part<'now'>`g.revoked_at is null and (g.expires_at is null or g.expires_at > ${'now'})`;

/** True in SQL when grant `g` stands on the word of an issuer: though over, it lives again with the next assertion, so what was done to it must last. */
const isAsserted = literal('exists (select 1 from issuer_grants i where i.tenant = g.tenant and i.user_id = g.user_id and i.grant_id = g.id)');

/** True in SQL when grant `g` lives, or may live again. */
export const grantLasts = part<'now'>`g.revoked_at is null and (g.expires_at is null or g.expires_at > ${'now'} or ${isAsserted})`;

/** True in SQL when grant `g` lives and its person `u` (left joined), if it has one, is there and enabled. */
const grantHolds = part<'now'>`${grantLives} and (g.user_id is null or (u.id is not null and u.disabled_at is null))`;

/** True in SQL when neither the person `u` nor an operator has stopped grant `g`. */
export const notPaused = literal('g.paused_at is null and g.hold_id is null and u.agents_paused_at is null');

/** True in SQL when what hangs from grant `g` may be used. */
export const grantStands = part<'now'>`${grantHolds} and ${notPaused}`;

/** Selects how grant `g` stands; {@link grantStateOf} reads it. Codes, devices and refresh tokens of a paused grant are good again when it is resumed. */
export const grantState = part<'now'>`case when g.id is null or not (${grantHolds}) then 0 when ${notPaused} then 1 else 2 end as state`;

export function grantStateOf({ state }: Row): GrantState {
  return state === 2 ? { standing: false, paused: true } : { standing: state === 1 };
}

/** Joins the person of grant `g`. */
export const joinPerson = literal('left join users u on u.tenant = g.tenant and u.id = g.user_id');

export function grantOf(row: Row): Grant {
  return present({
    id: text(row.g_id),
    userId: optionalText(row.g_user_id),
    clientId: text(row.g_client_id),
    serverId: optionalText(row.g_server_id),
    resource: text(row.g_resource),
    scope: json<string[]>(row.g_scope),
    redirectUri: optionalText(row.g_redirect_uri),
    clientDigest: optionalText(row.g_client_digest),
    receipt: optionalText(row.g_receipt),
    createdAt: whole(row.g_created_at),
    lastUsedAt: whole(row.g_last_used_at),
    expiresAt: optionalWhole(row.g_expires_at),
    once: row.g_once === 1 ? true : undefined,
    revokedAt: optionalWhole(row.g_revoked_at),
    revokedReason: optionalText(row.g_revoked_reason),
    pausedAt: optionalWhole(row.g_paused_at),
    holdId: optionalText(row.g_hold_id),
    removedScope: optionalJson<string[]>(row.g_removed_scope),
    approvedWith: optionalText(row.g_approved_with),
  });
}

export type GrantRow = {
  tenant: string;
  id: string;
  userId: string | null;
  clientId: string;
  serverId: string | null;
  resource: string;
  scope: string;
  redirectUri: string | null;
  clientDigest: string | null;
  receipt: string | null;
  createdAt: number;
  lastUsedAt: number;
  expiresAt: number | null;
  once: number | null;
  approvedWith: string | null;
  mark: string;
};

export function grantRow(tenant: string, grant: Grant, mark: string): GrantRow {
  return {
    tenant,
    id: grant.id,
    userId: grant.userId ?? null,
    clientId: grant.clientId,
    serverId: grant.serverId ?? null,
    resource: grant.resource,
    scope: JSON.stringify(grant.scope),
    redirectUri: grant.redirectUri ?? null,
    clientDigest: grant.clientDigest ?? null,
    receipt: grant.receipt ?? null,
    createdAt: grant.createdAt,
    lastUsedAt: grant.lastUsedAt,
    expiresAt: grant.expiresAt ?? null,
    once: grant.once ? 1 : null,
    approvedWith: grant.approvedWith ?? null,
    mark,
  };
}

type Agent = 'tenant' | 'userId' | 'clientId' | 'resource';

/** An open hold `h` that describes an agent; the oldest of several. */
export const holdOnAgent = part<Agent>`select h.id from holds h where h.tenant = ${'tenant'} and h.lifted_at is null
    and (h.user_id is null or h.user_id = ${'userId'}) and (h.client_id is null or h.client_id = ${'clientId'})
    and (h.resource is null or h.resource = ${'resource'}) order by h.created_at, h.id limit 1`;

/** When a person paused an agent that still is: what is granted to it meanwhile is born paused. Null when they did not. */
const pauseOfAgent = part<Agent | 'createdAt'>`select max(g.paused_at) from grants g where g.tenant = ${'tenant'} and g.user_id = ${'userId'}
    and g.client_id = ${'clientId'} and g.resource = ${'resource'} and g.paused_at is not null and g.revoked_at is null
    and (g.expires_at is null or g.expires_at > ${'createdAt'} or ${isAsserted})`;

/** The insert as a select, so that a condition can follow. */
export const insertGrant = part<keyof GrantRow>`insert into grants
    (tenant, id, user_id, client_id, server_id, resource, scope, redirect_uri, client_digest, receipt, created_at, last_used_at, expires_at, once,
    approved_with, last_event, hold_id, paused_at)
  select cast(${'tenant'} as text), cast(${'id'} as text), cast(${'userId'} as text), cast(${'clientId'} as text), cast(${'serverId'} as text),
    cast(${'resource'} as text), cast(${'scope'} as text), cast(${'redirectUri'} as text), cast(${'clientDigest'} as text), cast(${'receipt'} as text),
    cast(${'createdAt'} as bigint), cast(${'lastUsedAt'} as bigint), cast(${'expiresAt'} as bigint), cast(${'once'} as bigint),
    cast(${'approvedWith'} as text), cast(${'mark'} as text),
    (${holdOnAgent}), (${pauseOfAgent})`;

export const eventIfGrant = eventIf('grants', 'id');

export type Ending = { tenant: string; subject: string; now: number; reason: string; mark: string };

/**
 * True in SQL when nothing that was allowed together with the grant of a refresh family is left: one family serves several resources, and goes on while any of them is
 * allowed. A grant that stands alone is in no approval, so nothing is left of it.
 */
const nothingLeft = literal(`not exists (select 1 from grants k where k.tenant = refresh_tokens.tenant and k.approved_with = refresh_tokens.grant_id
    and k.revoked_at is null)`);
/** The grant that a family hangs from. */
const leader = literal('coalesce(approved_with, id)');

export const setRevoked = part<'now' | 'reason' | 'mark'>`update grants set revoked_at = ${'now'}, revoked_reason = ${'reason'}, last_event = ${'mark'}`;

/** Makes the statements that revoke every grant whose `column` is the subject, if the subject's row in `owner` carries the mark. */
export function endGrantsOf(owner: 'users' | 'clients' | 'servers', column: 'user_id' | 'client_id' | 'server_id'): (ending: Ending) => [Statement, Statement] {
  const grants = sql<Ending>`${setRevoked} where tenant = ${'tenant'} and ${literal(column)} = ${'subject'} and revoked_at is null
    and exists (select 1 from ${literal(owner)} where tenant = ${'tenant'} and id = ${'subject'} and last_event = ${'mark'})`;
  const families = sql<Omit<Ending, 'reason'>>`update refresh_tokens set revoked_at = ${'now'} where tenant = ${'tenant'} and revoked_at is null
    and grant_id in (select ${leader} from grants where tenant = ${'tenant'} and ${literal(column)} = ${'subject'} and last_event = ${'mark'}) and ${nothingLeft}`;
  return (ending) => [grants(ending), families(ending)];
}

const revoke = sql<Ending>`${setRevoked} where tenant = ${'tenant'} and id = ${'subject'} and revoked_at is null`;

/** An agent is a client on a resource, however many grants its installs and step-ups have made. */
const disconnect = sql<Ending & { grantId: string }>`${setRevoked} where tenant = ${'tenant'} and user_id = ${'subject'} and revoked_at is null
  and (client_id, resource) = (select client_id, resource from grants where tenant = ${'tenant'} and id = ${'grantId'} and user_id = ${'subject'})`;

/** A person who was taken off the list of a server, in this batch, if that list counts. */
export const endUsersGrantsOnServer = sql<Ending & { serverId: string }>`${setRevoked} where tenant = ${'tenant'} and user_id = ${'subject'}
  and server_id = ${'serverId'} and revoked_at is null
  and exists (select 1 from server_people where tenant = ${'tenant'} and server_id = ${'serverId'} and user_id = ${'subject'} and last_event = ${'mark'})
  and exists (select 1 from servers where tenant = ${'tenant'} and id = ${'serverId'} and people is not null)`;

/** The people who are not on the list of a server that this batch has changed, if that list counts. */
export const endUnlistedGrants = sql<Ending>`${setRevoked} where tenant = ${'tenant'} and server_id = ${'subject'} and revoked_at is null and user_id is not null
  and exists (select 1 from servers where tenant = ${'tenant'} and id = ${'subject'} and people is not null and last_event = ${'mark'})
  and not exists (select 1 from server_people p where p.tenant = ${'tenant'} and p.server_id = ${'subject'} and p.user_id = grants.user_id)`;
export const endFamiliesOfServerIfMarked = sql<Omit<Ending, 'reason'>>`update refresh_tokens set revoked_at = ${'now'}
  where tenant = ${'tenant'} and revoked_at is null
  and grant_id in (select ${leader} from grants where tenant = ${'tenant'} and server_id = ${'subject'} and last_event = ${'mark'}) and ${nothingLeft}`;

export const endFamiliesOfUserIfMarked = sql<
  Omit<Ending, 'reason'>
>`update refresh_tokens set revoked_at = ${'now'} where tenant = ${'tenant'} and revoked_at is null
  and grant_id in (select ${leader} from grants where tenant = ${'tenant'} and user_id = ${'subject'} and last_event = ${'mark'}) and ${nothingLeft}`;
export const eventIfAnyOfUser = eventIf('grants', 'user_id');

/** Ends the families of a grant that this batch has just revoked. */
export const endFamiliesIfMarked = sql<Omit<Ending, 'reason'>>`update refresh_tokens set revoked_at = ${'now'}
  where tenant = ${'tenant'} and revoked_at is null
  and grant_id = (select ${leader} from grants where tenant = ${'tenant'} and id = ${'subject'} and last_event = ${'mark'}) and ${nothingLeft}`;

const find = sql<{ tenant: string; id: string }>`select ${grantColumns} from grants g where g.tenant = ${'tenant'} and g.id = ${'id'}`;

type Triple = { tenant: string; userId: string; clientId: string; resource: string; now: number };
const ofTriple = part<
  keyof Triple
>`g.tenant = ${'tenant'} and g.user_id = ${'userId'} and g.client_id = ${'clientId'} and g.resource = ${'resource'} and ${grantLives}`;
// What was allowed once is asked again.
const remembered = sql<Triple & { redirectUri: string; clientDigest: string }>`select g.id as g_id, g.scope as g_scope, g.created_at as g_created_at,
    g.expires_at as g_expires_at
  from grants g where ${ofTriple} and g.once is null and g.redirect_uri = ${'redirectUri'} and g.client_digest = ${'clientDigest'} order by g.created_at desc, g.id desc limit 1`;
const scopesOfTriple = sql<Triple>`select g.scope as g_scope, g.created_at as g_created_at, g.expires_at as g_expires_at
  from grants g where ${ofTriple} and g.once is null order by g.created_at`;

const scopesOfSame = sql<
  Triple & { redirectUri: string; clientDigest: string }
>`select g.scope as g_scope, g.created_at as g_created_at, g.expires_at as g_expires_at
  from grants g where ${ofTriple} and g.once is null and g.redirect_uri = ${'redirectUri'} and g.client_digest = ${'clientDigest'} order by g.created_at`;

// A pause is shown for as long as it lasts: nobody could end it otherwise.
const agents = sql<{ tenant: string; userId: string; now: number }>`select ${grantColumns}, s.name as server_name, r.idle_expires_at as family_expires_at,
    w.address as from_address, w.user_agent as from_user_agent
  from grants g
  left join receipts w on w.tenant = g.tenant and w.grant_id = g.id
  left join servers s on s.tenant = g.tenant and s.id = g.server_id
  left join refresh_tokens r on r.tenant = g.tenant and r.grant_id = coalesce(g.approved_with, g.id) and r.revoked_at is null and r.idle_expires_at > ${'now'}
  where g.tenant = ${'tenant'} and g.user_id = ${'userId'} and (${grantLives} or (g.paused_at is not null and ${grantLasts}))
  order by g.created_at desc, g.id desc`;

type Filter = { tenant: string; clientId: string | null; userId: string | null; serverId: string | null; now: number };
const living = part<'tenant' | 'now'>`select ${grantColumns} from grants g where g.tenant = ${'tenant'} and ${grantLives}`;
const newestFirst = literal('order by g.created_at desc, g.id desc');
const listOfUser = sql<Filter>`${living} and g.user_id = ${'userId'} and (cast(${'clientId'} as text) is null or g.client_id = ${'clientId'})
  and (cast(${'serverId'} as text) is null or g.server_id = ${'serverId'}) ${newestFirst}`;
const listOfClient = sql<Filter>`${living} and g.client_id = ${'clientId'} and (cast(${'serverId'} as text) is null or g.server_id = ${'serverId'}) ${newestFirst}`;
const listOfServer = sql<Filter>`${living} and g.server_id = ${'serverId'} ${newestFirst}`;
const listAll = sql<Filter>`${living} ${newestFirst}`;

/** True in SQL when no access token with this `jti` was revoked on its own. */
export const tokenNotRevoked = part<'tenant' | 'jti'>`not exists (select 1 from revoked_tokens t where t.tenant = ${'tenant'} and t.jti = ${'jti'})`;

const standingOf = sql<{ tenant: string; grantId: string; jti: string; now: number }>`select g.id as g_id, g.user_id as g_user_id, u.username as u_username,
    u.email as u_email, g.removed_scope as g_removed_scope, case when ${grantStands} and ${tokenNotRevoked} then 1 else 0 end as active
  from grants g ${joinPerson} where g.tenant = ${'tenant'} and g.id = ${'grantId'}`;

/** Reads what the standing statements select about the grant; undefined when there is none. */
export function grantStandingOf(row: Row): Standing['grant'] {
  if (row.g_id === null) return undefined;
  return present({
    active: row.active === 1,
    userId: optionalText(row.g_user_id),
    username: optionalText(row.u_username),
    email: optionalText(row.u_email),
    removedScope: optionalJson<string[]>(row.g_removed_scope),
  });
}

type Verbs =
  | 'findGrant'
  | 'rememberedConsent'
  | 'allowedScopes'
  | 'allowedScopesSame'
  | 'listAgents'
  | 'listGrants'
  | 'revokeGrant'
  | 'disconnectAgent'
  | 'standing';

export function grantsTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  return {
    async findGrant(id) {
      const [row] = await driver.read(find({ tenant, id }));
      return row && grantOf(row);
    },
    async rememberedConsent(key, now) {
      const [row] = await driver.read(remembered({ tenant, ...key, now }));
      return (
        row &&
        present({
          grantId: text(row.g_id),
          scope: json<string[]>(row.g_scope),
          createdAt: whole(row.g_created_at),
          expiresAt: optionalWhole(row.g_expires_at),
        })
      );
    },
    async allowedScopes(key, now) {
      const rows = await driver.read(scopesOfTriple({ tenant, ...key, now }));
      return allowedBy(rows.map((row) => ({ scope: json<string[]>(row.g_scope), since: whole(row.g_created_at), until: optionalWhole(row.g_expires_at) })));
    },
    async allowedScopesSame(key, now) {
      const rows = await driver.read(scopesOfSame({ tenant, ...key, now }));
      return allowedBy(rows.map((row) => ({ scope: json<string[]>(row.g_scope), since: whole(row.g_created_at), until: optionalWhole(row.g_expires_at) })));
    },
    async listAgents(userId, now) {
      return (await driver.read(agents({ tenant, userId, now }))).map(agentOf);
    },
    async listGrants(filter, now) {
      const { clientId, userId, serverId } = filter;
      const list = userId !== undefined ? listOfUser : clientId !== undefined ? listOfClient : serverId !== undefined ? listOfServer : listAll;
      return (await driver.read(list({ tenant, clientId: clientId ?? null, userId: userId ?? null, serverId: serverId ?? null, now }))).map(grantOf);
    },
    async revokeGrant(id, reason, event) {
      const ending = { tenant, subject: id, now: event.at, reason, mark: event.id };
      const [revoked] = await driver.write([revoke(ending), endFamiliesIfMarked(ending), eventIfGrant(tenant, id, event)]);
      return revoked?.changes === 1;
    },
    async disconnectAgent(userId, grantId, reason, event) {
      const ending = { tenant, subject: userId, now: event.at, reason, mark: event.id };
      const [revoked] = await driver.write([disconnect({ ...ending, grantId }), endFamiliesOfUserIfMarked(ending), eventIfAnyOfUser(tenant, userId, event)]);
      return (revoked?.changes ?? 0) > 0;
    },
    async standing(question) {
      const [row] = await driver.read(standingOf({ tenant, ...question }));
      return row && grantStandingOf(row);
    },
  };
}

/** A scope of several grants is allowed since the first of them and until the last; without an end when one has none. */
function allowedBy(grants: readonly { scope: string[]; since: number; until?: number }[]): AllowedScope[] {
  const allowed = new Map<string, AllowedScope>();
  for (const { scope, since, until } of grants) {
    for (const name of scope) {
      const known = allowed.get(name);
      if (!known) allowed.set(name, present({ name, since, until }));
      else if (known.until === undefined || until === undefined) allowed.set(name, { name, since: known.since });
      else allowed.set(name, { ...known, until: Math.max(known.until, until) });
    }
  }
  return [...allowed.values()];
}

function agentOf(row: Row): ConnectedAgent {
  const from = present({ address: optionalText(row.from_address), userAgent: optionalText(row.from_user_agent) });
  return present({
    ...grantOf(row),
    serverName: optionalText(row.server_name),
    familyExpiresAt: optionalWhole(row.family_expires_at),
    from: Object.keys(from).length > 0 ? from : undefined,
  });
}
