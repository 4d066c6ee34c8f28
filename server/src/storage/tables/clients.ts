/**
 * Registered clients (RFC 7591) and their tombstones: a removed client keeps its metadata, so that a browser can still be sent back with
 * `unauthorized_client`. `consented_at` is set by the first grant; the cap on unconsented clients (DCR-14) counts the rows without it.
 */
import { type Driver, literal, part, type Row, sql } from '../driver.ts';
import { json, optionalText, optionalWhole, present, text, whole } from '../row.ts';
import type { Client, ClientMetadata, Registration, Store } from '../store.ts';
import { eventIf } from './audit-events.ts';
import { endGrantsOf, grantLives } from './grants.ts';

const columns = literal(
  'id, registration, metadata, secret_hash, secret_expires_at, default_resource, server_id, management_hash, pending_since, created_at, last_used_at, disabled_at, removed_at',
);

type ClientRow = {
  tenant: string;
  id: string;
  registration: string;
  metadata: string;
  secretHash: string | null;
  secretExpiresAt: number | null;
  defaultResource: string | null;
  serverId: string | null;
  managementHash: string | null;
  pendingSince: number | null;
  createdAt: number;
  lastUsedAt: number;
  disabledAt: number | null;
  removedAt: number | null;
  mark: string;
};
const insert = sql<ClientRow>`insert into clients (tenant, ${columns}, last_event)
  values (${'tenant'}, ${'id'}, ${'registration'}, ${'metadata'}, ${'secretHash'}, ${'secretExpiresAt'}, ${'defaultResource'}, ${'serverId'}, ${'managementHash'},
    ${'pendingSince'}, ${'createdAt'},
    ${'lastUsedAt'}, ${'disabledAt'}, ${'removedAt'}, ${'mark'})`;

/** A client is born with one secret at most, so these are read and not inserted. */
const columnsRead = part`${columns}, older_secret_hash, older_secret_expires_at`;

const find = sql<{ tenant: string; id: string }>`select ${columnsRead} from clients where tenant = ${'tenant'} and id = ${'id'}`;
const list = sql<{ tenant: string }>`select ${columnsRead} from clients where tenant = ${'tenant'} order by created_at, id`;

const bury = sql<{ tenant: string; id: string; now: number; mark: string }>`update clients
  set removed_at = ${'now'}, secret_hash = null, older_secret_hash = null, older_secret_expires_at = null, management_hash = null, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'} and removed_at is null`;

type Replacement = Pick<ClientRow, 'tenant' | 'id' | 'metadata' | 'secretHash' | 'secretExpiresAt' | 'managementHash' | 'pendingSince' | 'mark'> & {
  heldHash: string;
};
const replace = sql<Replacement>`update clients set metadata = ${'metadata'}, secret_hash = ${'secretHash'}, secret_expires_at = ${'secretExpiresAt'},
    older_secret_hash = case when cast(${'secretHash'} as text) is null then null else older_secret_hash end,
    older_secret_expires_at = case when cast(${'secretHash'} as text) is null then null else older_secret_expires_at end,
    management_hash = ${'managementHash'}, pending_since = ${'pendingSince'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'} and management_hash = ${'heldHash'} and removed_at is null and disabled_at is null`;
const approve = sql<{ tenant: string; id: string; seen: string; mark: string }>`update clients set pending_since = null, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'} and pending_since is not null and removed_at is null and metadata = ${'seen'}`;

type Expiry = { tenant: string; unusedSince: number; forgetBefore: number; limit: number; now: number };
const unused = part<keyof Expiry>`registration = 'dynamic' and removed_at is null and last_used_at < ${'unusedSince'}
  and coalesce((select 1 from grants g where g.tenant = ${'tenant'} and g.client_id = clients.id and ${grantLives} limit 1), 0) = 0`;
// No "not exists": Postgres would read all grants to answer it for a few clients.
// The condition stands twice: Postgres checks the outer one again on a row that changed while it waited for it.
const buryUnused = sql<Expiry>`update clients set removed_at = ${'now'}, secret_hash = null, older_secret_hash = null, older_secret_expires_at = null,
    management_hash = null
  where tenant = ${'tenant'} and ${unused}
  and id in (select id from clients where tenant = ${'tenant'} and ${unused} order by last_used_at limit ${'limit'})`;
const forget = sql<Expiry>`delete from clients where tenant = ${'tenant'} and removed_at is not null and removed_at < ${'forgetBefore'}
  and id in (select id from clients where tenant = ${'tenant'} and removed_at is not null and removed_at < ${'forgetBefore'} order by removed_at limit ${'limit'})`;

type Rewriting = { tenant: string; id: string; was: string; metadata: string; mark: string };
const rewrite = sql<Rewriting>`update clients set metadata = ${'metadata'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'} and metadata = ${'was'} and removed_at is null`;

type NewSecret = { tenant: string; id: string; secretHash: string; olderExpiresAt: number; now: number; mark: string };
const addSecret = sql<NewSecret>`update clients set older_secret_hash = secret_hash,
    older_secret_expires_at = case when secret_expires_at is null or secret_expires_at > ${'olderExpiresAt'} then ${'olderExpiresAt'} else secret_expires_at end,
    secret_hash = ${'secretHash'}, secret_expires_at = null, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'} and secret_hash is not null and removed_at is null
    and (older_secret_hash is null or older_secret_expires_at <= ${'now'})`;
type Ending = { tenant: string; id: string; mark: string };
const hasTwo = part<'tenant' | 'id'>`tenant = ${'tenant'} and id = ${'id'} and older_secret_hash is not null and removed_at is null`;
const endOlder = sql<Ending>`update clients set older_secret_hash = null, older_secret_expires_at = null, last_event = ${'mark'} where ${hasTwo}`;
// An older secret that has ended is none that a client could be left with.
const endNewer = sql<Ending & { now: number }>`update clients set secret_hash = older_secret_hash, secret_expires_at = null, older_secret_hash = null,
  older_secret_expires_at = null, last_event = ${'mark'} where ${hasTwo} and older_secret_expires_at > ${'now'}`;

const countUnconsented = sql<{ tenant: string }>`select count(*) as waiting from clients
  where tenant = ${'tenant'} and registration = 'dynamic' and removed_at is null and consented_at is null`;

/** Notes the first grant of a client, in the batch that makes it. */
export const noteConsent = sql<{ tenant: string; clientId: string; grantId: string; now: number }>`update clients set consented_at = ${'now'}
  where tenant = ${'tenant'} and id = ${'clientId'} and consented_at is null
  and exists (select 1 from grants where tenant = ${'tenant'} and id = ${'grantId'})`;

const eventIfClient = eventIf('clients', 'id');
const endGrants = endGrantsOf('clients', 'client_id');

type Verbs =
  | 'addClient'
  | 'findClient'
  | 'listClients'
  | 'changeClientMetadata'
  | 'addClientSecret'
  | 'endClientSecret'
  | 'replaceClient'
  | 'approveClient'
  | 'removeClient'
  | 'expireDynamicClients'
  | 'countUnconsentedClients';

export function clientsTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  return {
    async addClient(client, event) {
      await driver.write([insert(clientRow(tenant, client, event.id)), eventIfClient(tenant, client.id, event)]);
    },
    async findClient(id) {
      const [row] = await driver.read(find({ tenant, id }));
      return row && clientOf(row);
    },
    async listClients() {
      return (await driver.read(list({ tenant }))).map(clientOf);
    },
    async changeClientMetadata({ id, from, to }, event) {
      const change = { tenant, id, was: JSON.stringify(from), metadata: JSON.stringify(to), mark: event.id };
      const [rewritten] = await driver.write([rewrite(change), eventIfClient(tenant, id, event)]);
      return rewritten?.changes === 1;
    },
    async addClientSecret({ id, secretHash, olderExpiresAt }, event) {
      const secret = { tenant, id, secretHash, olderExpiresAt, now: event.at, mark: event.id };
      const [added] = await driver.write([addSecret(secret), eventIfClient(tenant, id, event)]);
      if (added?.changes === 1) return 'added';
      const [row] = await driver.read(find({ tenant, id }));
      return row !== undefined && clientOf(row).olderSecretHash !== undefined ? 'full' : 'gone';
    },
    async endClientSecret(id, which, event) {
      const ending = { tenant, id, now: event.at, mark: event.id };
      const [ended] = await driver.write([which === 'older' ? endOlder(ending) : endNewer(ending), eventIfClient(tenant, id, event)]);
      return ended?.changes === 1;
    },
    async replaceClient({ client, managementHash: heldHash, endsGrants }, event) {
      const { id, metadata, secretHash, secretExpiresAt, managementHash, pendingSince } = clientRow(tenant, client, event.id);
      const row = { tenant, id, metadata, secretHash, secretExpiresAt, managementHash, pendingSince, mark: event.id, heldHash };
      const ended = endsGrants ? endGrants({ tenant, subject: id, now: event.at, reason: 'client_replaced', mark: event.id }) : [];
      const [replaced] = await driver.write([replace(row), ...ended, eventIfClient(tenant, id, event)]);
      return replaced?.changes === 1;
    },
    async approveClient({ id, metadata }, event) {
      const approval = { tenant, id, seen: JSON.stringify(metadata), mark: event.id };
      const [approved] = await driver.write([approve(approval), eventIfClient(tenant, id, event)]);
      return approved?.changes === 1;
    },
    async removeClient(id, event) {
      const ended = endGrants({ tenant, subject: id, now: event.at, reason: 'client_removed', mark: event.id });
      const [buried] = await driver.write([bury({ tenant, id, now: event.at, mark: event.id }), ...ended, eventIfClient(tenant, id, event)]);
      return buried?.changes === 1;
    },
    async expireDynamicClients(unusedSince, forgetBefore, limit, now) {
      const expiry = { tenant, unusedSince, forgetBefore, limit, now };
      const [buried] = await driver.write([buryUnused(expiry)]);
      const [forgotten] = await driver.write([forget(expiry)]);
      return (buried?.changes ?? 0) + (forgotten?.changes ?? 0);
    },
    async countUnconsentedClients() {
      const [row] = await driver.read(countUnconsented({ tenant }));
      return whole(row?.waiting);
    },
  };
}

function clientRow(tenant: string, client: Client, mark: string): ClientRow {
  return {
    ...client,
    tenant,
    metadata: JSON.stringify(client.metadata),
    secretHash: client.secretHash ?? null,
    secretExpiresAt: client.secretExpiresAt ?? null,
    defaultResource: client.defaultResource ?? null,
    serverId: client.serverId ?? null,
    managementHash: client.managementHash ?? null,
    pendingSince: client.pendingSince ?? null,
    disabledAt: client.disabledAt ?? null,
    removedAt: client.removedAt ?? null,
    mark,
  };
}

function clientOf(row: Row): Client {
  return present({
    id: text(row.id),
    // Only this file writes the column, and only with a Registration.
    registration: text(row.registration) as Registration,
    metadata: json<ClientMetadata>(row.metadata),
    secretHash: optionalText(row.secret_hash),
    secretExpiresAt: optionalWhole(row.secret_expires_at),
    olderSecretHash: optionalText(row.older_secret_hash),
    olderSecretExpiresAt: optionalWhole(row.older_secret_expires_at),
    defaultResource: optionalText(row.default_resource),
    serverId: optionalText(row.server_id),
    managementHash: optionalText(row.management_hash),
    pendingSince: optionalWhole(row.pending_since),
    createdAt: whole(row.created_at),
    lastUsedAt: whole(row.last_used_at),
    disabledAt: optionalWhole(row.disabled_at),
    removedAt: optionalWhole(row.removed_at),
  });
}
