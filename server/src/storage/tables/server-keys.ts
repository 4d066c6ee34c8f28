/**
 * API keys of MCP servers, by the hash of their secret. Owns the question behind every introspection (RFC 7662): who asks, and does the token's grant stand?
 */
import { aliased, ConstraintError, type Driver, literal, part, type Row, sql } from '../driver.ts';
import { optionalWhole, present, text, whole } from '../row.ts';
import type { ServerKey, Standing, Store } from '../store.ts';
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

const eventIfKey = eventIf('server_keys', 'id');

export function serverKeysTable(driver: Driver, tenant: string): Pick<Store, 'addKey' | 'listKeys' | 'revokeKey' | 'findKey' | 'standingForKey'> {
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
  };
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

function standingOf(row: Row): Standing {
  const key: Standing['key'] = { id: text(row.k_id), serverId: text(row.k_server_id), resource: text(row.resource), expiresAt: whole(row.k_expires_at) };
  const revokedAt = optionalWhole(row.k_revoked_at);
  if (revokedAt !== undefined) key.revokedAt = revokedAt;
  const grant = grantStandingOf(row);
  return grant === undefined ? { key } : { key, grant };
}
