/**
 * Deletes what is over, in batches small enough that nobody waits for the write lock. Each table is a commit of its own. What is kept a while past its end,
 * and why, is said beside it and in docs/storage.md.
 */
import { type Driver, literal, type Part, part, type Statement, sql } from './driver.ts';
import { tablesOfTenants } from './holdings.ts';
import { text } from './row.ts';

type Round = { now: number; limit: number };
/** The statements of one step; the last one deletes, or empties what must not stay. */
type Sweep = (round: Round) => Statement[];

/** A redeemed code stays ten minutes past its end, so that its replay is recognised and revokes what came from it (COD-06). */
const CODE_KEPT_SECONDS = 600;
/** A device that is slow to ask is told that its code expired, not that nobody knows it (RFC 8628 §3.5). */
const DEVICE_CODE_KEPT_SECONDS = 600;
/** Revoked access tokens stay past their end for as long as any verifier's clock may be behind. */
const REVOKED_TOKEN_KEPT_SECONDS = 300;
/** A request begun with a reference in its last second may wait this long for its answer, which asks whether the reference was used. */
const PUSHED_KEPT_SECONDS = 1200;
/** A document nobody has asked for in a month, and that no grant needs, is somebody's experiment. */
const DOCUMENT_KEPT_SECONDS = 30 * 86_400;

/** The name of a removed tenant rests this long, while nodes that did not know yet may still write rows of it, and others believe its last tokens. */
const TENANT_RESTS_SECONDS = 86_400;

/** Which rows are over: those with `column` at least `keptSeconds` in the past, oldest first, if `also` holds. */
type Over = { column: string; keptSeconds?: number; also?: Part<never> };

// The order makes Postgres walk the index; the condition stands twice because it checks the outer one again on a row that changed meanwhile.
function expiredRows(table: string, key: string, { column, keptSeconds = 0, also = literal('') }: Over): Sweep {
  const over = part<'now'>`${literal(column)} <= cast(${'now'} as bigint) - ${literal(String(keptSeconds))} ${also}`;
  const remove = sql<Round>`delete from ${literal(table)} where ${over} and (tenant, ${literal(key)}) in
    (select tenant, ${literal(key)} from ${literal(table)} where ${over} order by ${literal(column)} limit ${'limit'})`;
  return (round) => [remove(round)];
}

// A person's grant ends with its family and is told of, one by one (tables/lapses.ts); until then its family says when and why.
const livingGrant = (
  key: 'id' | 'approved_with',
) => `coalesce((select 1 from grants g where g.tenant = refresh_tokens.tenant and g.${key} = refresh_tokens.grant_id
  and g.user_id is not null and g.revoked_at is null limit 1), 0)`;
const withoutLivingGrant = literal(`and ${livingGrant('id')} = 0 and ${livingGrant('approved_with')} = 0`);

// Not "not exists": Postgres would read all grants to answer it for a few documents.
const withoutGrant = literal(`and disabled_at is null
  and coalesce((select 1 from grants g where g.tenant = client_documents.tenant and g.client_id = client_documents.url limit 1), 0) = 0`);

const olderWebhookSecrets = sql<Round>`update webhooks set older_secret_sealed = null, older_secret_expires_at = null
  where older_secret_expires_at <= ${'now'}
  and (tenant, id) in (select tenant, id from webhooks where older_secret_expires_at <= ${'now'} order by older_secret_expires_at limit ${'limit'})`;

const sweeps: readonly Sweep[] = [
  expiredRows('sessions', 'id_hash', { column: 'expires_at' }),
  expiredRows('session_clients', 'sid', { column: 'expires_at' }),
  expiredRows('authorization_requests', 'id_hash', { column: 'expires_at' }),
  expiredRows('pushed_requests', 'reference_hash', { column: 'expires_at', keptSeconds: PUSHED_KEPT_SECONDS }),
  expiredRows('codes', 'code_hash', { column: 'expires_at', keptSeconds: CODE_KEPT_SECONDS }),
  expiredRows('device_codes', 'code_hash', { column: 'expires_at', keptSeconds: DEVICE_CODE_KEPT_SECONDS }),
  expiredRows('refresh_tokens', 'family_id', { column: 'idle_expires_at', also: withoutLivingGrant }),
  expiredRows('registration_tokens', 'id', { column: 'expires_at' }),
  expiredRows('delegations', 'grant_id', { column: 'expires_at' }),
  expiredRows('revoked_tokens', 'jti', { column: 'expires_at', keptSeconds: REVOKED_TOKEN_KEPT_SECONDS }),
  expiredRows('replayed_ids', 'kind, id_hash', { column: 'expires_at' }),
  expiredRows('attempts', 'bucket', { column: 'expires_at' }),
  expiredRows('limits', 'bucket', { column: 'expires_at' }),
  expiredRows('activity', 'grant_id, slot, action, outcome, missing', { column: 'expires_at' }),
  expiredRows('webhook_deliveries', 'webhook_id, event_id', { column: 'expires_at' }),
  (round) => [olderWebhookSecrets(round)],
  expiredRows('outbox', 'id', { column: 'expires_at' }),
  expiredRows('upstream_visits', 'id_hash', { column: 'expires_at' }),
  expiredRows('access_requests', 'id', { column: 'expires_at' }),
  expiredRows('known_devices', 'user_id, device_hash', { column: 'expires_at' }),
  expiredRows('setup_links', 'token_hash', { column: 'expires_at' }),
  expiredRows('one_time_links', 'id', { column: 'expires_at' }),
  expiredRows('signing_keys', 'kid', { column: 'published_until' }),
  expiredRows('client_documents', 'url', { column: 'fresh_until', keptSeconds: DOCUMENT_KEPT_SECONDS, also: withoutGrant }),
];

/** Rows live at random places, so each may cost a page or two of writing; 25 keep the lock a few milliseconds on a database of a gigabyte. */
const ROWS_PER_WRITE = 25;

/** Runs one round over every table, at most `limit` rows of each. Returns how many rows went; what is left goes in the next round. */
export async function sweepExpired(driver: Driver, { now, limit }: Round): Promise<number> {
  let gone = 0;
  for (const sweep of sweeps) gone += await inSteps(driver, sweep, { now, limit });
  return gone;
}

const removedTenants = sql<Record<never, never>>`select tenant from tenants where removed_at is not null and purged_at is null order by tenant`;
const rested = sql<{ tenant: string; now: number }>`update tenants set purged_at = ${'now'}
  where tenant = ${'tenant'} and purged_at is null and removed_at <= cast(${'now'} as bigint) - ${literal(String(TENANT_RESTS_SECONDS))}`;

/** Deletes rows of removed tenants, at most `limit` of each table and tenant. A tenant of which nothing is left after its rest frees its name. */
export async function sweepRemovedTenants(driver: Driver, { now, limit }: Round): Promise<number> {
  let gone = 0;
  for (const row of await driver.read(removedTenants({}))) {
    const tenant = text(row.tenant);
    let ofThis = 0;
    for (const table of tablesOfTenants)
      ofThis += await inSteps(driver, (round) => [rowsOfTenant(driver.name, table)({ tenant, limit: round.limit })], { now, limit });
    if (ofThis === 0) await driver.write([rested({ tenant, now })]);
    gone += ofThis;
  }
  return gone;
}

/** By the place of the row, which every table has: keys differ, and a statement for a whole table would hold the lock too long. */
function rowsOfTenant(engine: Driver['name'], table: string): (rows: { tenant: string; limit: number }) => Statement {
  const place = literal(engine === 'postgres' ? 'ctid' : 'rowid');
  return sql<{ tenant: string; limit: number }>`delete from ${literal(table)} where tenant = ${'tenant'} and ${place} in
    (select ${place} from ${literal(table)} where tenant = ${'tenant'} limit ${'limit'})`;
}

async function inSteps(driver: Driver, sweep: Sweep, { now, limit }: Round): Promise<number> {
  let gone = 0;
  while (gone < limit) {
    const step = Math.min(ROWS_PER_WRITE, limit - gone);
    const results = await driver.write(sweep({ now, limit: step }));
    const changes = results.at(-1)?.changes ?? 0;
    gone += changes;
    if (changes < step) break;
  }
  return gone;
}
