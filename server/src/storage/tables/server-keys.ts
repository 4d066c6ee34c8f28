/**
 * API keys of MCP servers, by the hash of their secret. Owns the question behind every introspection (RFC 7662): who asks, and does the token's grant stand?
 */
import { aliased, ConstraintError, type Driver, literal, part, type Row, sql } from '../driver.ts';
import { optionalText, optionalWhole, present, text, whole } from '../row.ts';
import type { EndingKey, ServerKey, Standing, Store } from '../store.ts';
import { eventIf } from './audit-events.ts';
import { grantStandingOf, grantStands, joinPerson, tokenNotRevoked } from './grants.ts';

const columns = aliased('k', ['id', 'server_id', 'name', 'secret_hash', 'created_at', 'expires_at', 'revoked_at', 'last_used_at']);

type KeyRow = {
  tenant: string;
  id: string;
  serverId: string;
  name: string;
  secretHash: string;
  createdAt: number;
  expiresAt: number;
  revokedAt: number | null;
  lastUsedAt: number | null;
  mark: string;
};
const insert = sql<KeyRow>`insert into server_keys (tenant, id, server_id, name, secret_hash, created_at, expires_at, revoked_at, last_used_at, last_event)
  select cast(${'tenant'} as text), cast(${'id'} as text), cast(${'serverId'} as text), cast(${'name'} as text), cast(${'secretHash'} as text),
    cast(${'createdAt'} as bigint), cast(${'expiresAt'} as bigint), cast(${'revokedAt'} as bigint), cast(${'lastUsedAt'} as bigint), cast(${'mark'} as text)
  where exists (select 1 from servers where tenant = ${'tenant'} and id = ${'serverId'})`;

const list = sql<{ tenant: string; serverId: string }>`select ${columns} from server_keys k
  where k.tenant = ${'tenant'} and k.server_id = ${'serverId'} order by k.created_at, k.id`;

const revoke = sql<{ tenant: string; serverId: string; id: string; now: number; mark: string }>`update server_keys
  set revoked_at = ${'now'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'} and server_id = ${'serverId'} and revoked_at is null`;

const withServer = literal('from server_keys k join servers s on s.tenant = k.tenant and s.id = k.server_id');
const bySecret = part<'tenant' | 'keyHash'>`k.tenant = ${'tenant'} and k.secret_hash = ${'keyHash'}`;
const find = sql<{ tenant: string; keyHash: string }>`select ${columns}, s.resource as resource ${withServer} where ${bySecret}`;

type Question = { tenant: string; keyHash: string; grantId: string; jti: string; now: number };
const standing = sql<Question>`select k.id as k_id, k.server_id as k_server_id, k.expires_at as k_expires_at, k.revoked_at as k_revoked_at, s.resource as resource,
    g.id as g_id, g.user_id as g_user_id, u.username as u_username, u.email as u_email, g.removed_scope as g_removed_scope,
    case when ${grantStands} and ${tokenNotRevoked} then 1 else 0 end as active
  ${withServer} left join grants g on g.tenant = k.tenant and g.id = ${'grantId'} ${joinPerson} where ${bySecret}`;

/** How long before its end a key is warned of, in seconds, the longest first. */
const WARNINGS = [30 * 86_400, 7 * 86_400, 86_400] as const;
const oneIsDue = part<'now'>`(${dueBefore(WARNINGS[0])} or ${dueBefore(WARNINGS[1])} or ${dueBefore(WARNINGS[2])})`;
const isToWarnOf = part<'tenant' | 'now'>`k.tenant = ${'tenant'} and k.revoked_at is null and k.expires_at > ${'now'}
    and k.expires_at <= cast(${'now'} as bigint) + ${literal(String(WARNINGS[0]))} and ${oneIsDue}`;
const ending = sql<{
  tenant: string;
  now: number;
  usedSince: number;
  limit: number;
}>`select k.id as id, k.server_id as server_id, k.name as name, k.expires_at as expires_at,
    s.name as server_name, s.owner_id as owner_id, u.email as email, u.language as language
  ${withServer} left join users u on u.tenant = s.tenant and u.id = s.owner_id
  where ${isToWarnOf} and k.last_used_at >= ${'usedSince'} order by k.expires_at, k.id limit ${'limit'}`;
const warn = sql<{ tenant: string; id: string; now: number; mark: string }>`update server_keys as k set warned_at = ${'now'}, last_event = ${'mark'}
  where k.id = ${'id'} and ${isToWarnOf}`;
const firstEnd = sql<{ tenant: string; usedSince: number }>`select k.expires_at as ends_at from server_keys k
  where k.tenant = ${'tenant'} and k.revoked_at is null and k.expires_at > ${'usedSince'} and k.last_used_at >= ${'usedSince'} order by k.expires_at limit 1`;

const eventIfKey = eventIf('server_keys', 'id');

type Verbs = 'addKey' | 'listKeys' | 'revokeKey' | 'findKey' | 'standingForKey' | 'listEndingKeys' | 'warnOfKey' | 'findFirstKeyEnd';

export function serverKeysTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  return {
    async addKey(key, event) {
      const [added] = await driver.write([insert(keyRow(tenant, key, event.id)), eventIfKey(tenant, key.id, event)]);
      if (added?.changes !== 1) throw new ConstraintError('There is no such server to add a key to');
    },
    async listKeys(serverId) {
      return (await driver.read(list({ tenant, serverId }))).map(keyOf);
    },
    async revokeKey(serverId, keyId, event) {
      const [revoked] = await driver.write([revoke({ tenant, serverId, id: keyId, now: event.at, mark: event.id }), eventIfKey(tenant, keyId, event)]);
      return revoked?.changes === 1;
    },
    async findKey(keyHash) {
      const [row] = await driver.read(find({ tenant, keyHash }));
      return row && { ...keyOf(row), resource: text(row.resource) };
    },
    async standingForKey({ keyHash, grantId, jti, now }) {
      const [row] = await driver.read(standing({ tenant, keyHash, grantId, jti, now }));
      return row && standingOf(row);
    },
    async listEndingKeys(asked) {
      return (await driver.read(ending({ tenant, ...asked }))).map(endingKeyOf);
    },
    async warnOfKey(keyId, event) {
      const [warned] = await driver.write([warn({ tenant, id: keyId, now: event.at, mark: event.id }), eventIfKey(tenant, keyId, event)]);
      return warned?.changes === 1;
    },
    async findFirstKeyEnd(usedSince) {
      const [row] = await driver.read(firstEnd({ tenant, usedSince }));
      return row && whole(row.ends_at);
    },
  };
}

/** The warning this long before the end has its time behind it, and it was neither given yet nor older than the key. */
function dueBefore(seconds: number) {
  const at = literal(`k.expires_at - ${seconds}`);
  return part<'now'>`(${at} <= ${'now'} and ${at} > coalesce(k.warned_at, k.created_at))`;
}

function keyRow(tenant: string, key: ServerKey, mark: string): KeyRow {
  return { ...key, tenant, revokedAt: key.revokedAt ?? null, lastUsedAt: key.lastUsedAt ?? null, mark };
}

function keyOf(row: Row): ServerKey {
  return present({
    id: text(row.k_id),
    serverId: text(row.k_server_id),
    name: text(row.k_name),
    secretHash: text(row.k_secret_hash),
    createdAt: whole(row.k_created_at),
    expiresAt: whole(row.k_expires_at),
    revokedAt: optionalWhole(row.k_revoked_at),
    lastUsedAt: optionalWhole(row.k_last_used_at),
  });
}

function endingKeyOf(row: Row): EndingKey {
  return {
    id: text(row.id),
    serverId: text(row.server_id),
    name: text(row.name),
    expiresAt: whole(row.expires_at),
    serverName: text(row.server_name),
    owner: present({ id: text(row.owner_id), email: optionalText(row.email), language: optionalText(row.language) }),
  };
}

function standingOf(row: Row): Standing {
  const key: Standing['key'] = { id: text(row.k_id), serverId: text(row.k_server_id), resource: text(row.resource), expiresAt: whole(row.k_expires_at) };
  const revokedAt = optionalWhole(row.k_revoked_at);
  if (revokedAt !== undefined) key.revokedAt = revokedAt;
  const grant = grantStandingOf(row);
  return grant === undefined ? { key } : { key, grant };
}
