/**
 * Deletes what is over, in batches small enough that nobody waits for the write lock. Each table is a commit of its own. What is kept a while past its end,
 * and why, is said beside it and in docs/storage.md.
 */
import { type Driver, literal, type Part, part, type Statement, sql } from './driver.ts';

type Round = { now: number; limit: number };
/** The statements of one step; the last one deletes. */
type Sweep = (round: Round) => Statement[];

const deletion = (table: string, key: string, over: Part<'now'>) => sql<Round>`delete from ${literal(table)}
  where (tenant, ${literal(key)}) in (select tenant, ${literal(key)} from ${literal(table)} where ${over} limit ${'limit'})`;

function expiredRows(table: string, key: string, over: Part<'now'>): Sweep {
  const remove = deletion(table, key, over);
  return (round) => [remove(round)];
}

/** A redeemed code stays ten minutes past its end, so that its replay is recognised and revokes what came from it (COD-06). */
const CODE_KEPT_SECONDS = 600;
/** Revoked access tokens stay past their end for as long as any verifier's clock may be behind. */
const REVOKED_TOKEN_KEPT_SECONDS = 300;
/** A document nobody has asked for in a month, and that no grant needs, is somebody's experiment. */
const DOCUMENT_KEPT_SECONDS = 30 * 86_400;

const before = (column: string, keptSeconds: number) => part<'now'>`${literal(column)} <= cast(${'now'} as bigint) - ${literal(String(keptSeconds))}`;

// A person's grant whose family ran out can never be used again: it ends, so that it is no longer shown as connected.
const idle = part<keyof Round>`select tenant, grant_id from refresh_tokens where idle_expires_at <= ${'now'} order by idle_expires_at limit ${'limit'}`;
const endIdleGrants = sql<Round>`update grants set revoked_at = ${'now'}, revoked_reason = 'expired'
  where user_id is not null and revoked_at is null and (tenant, id) in (${idle})`;
const deadFamily = part<'now'>`idle_expires_at <= ${'now'} and not exists
  (select 1 from grants g where g.tenant = refresh_tokens.tenant and g.id = refresh_tokens.grant_id and g.user_id is not null and g.revoked_at is null)`;

const deleteFamilies = deletion('refresh_tokens', 'family_id', deadFamily);

const sweeps: readonly Sweep[] = [
  expiredRows('sessions', 'id_hash', before('expires_at', 0)),
  expiredRows('authorization_requests', 'id_hash', before('expires_at', 0)),
  expiredRows('codes', 'code_hash', before('expires_at', CODE_KEPT_SECONDS)),
  (round) => [endIdleGrants(round), deleteFamilies(round)],
  expiredRows('revoked_tokens', 'jti', before('expires_at', REVOKED_TOKEN_KEPT_SECONDS)),
  expiredRows('attempts', 'bucket', before('expires_at', 0)),
  expiredRows('limits', 'bucket', before('expires_at', 0)),
  expiredRows('setup_links', 'token_hash', before('expires_at', 0)),
  expiredRows('signing_keys', 'kid', before('published_until', 0)),
  expiredRows(
    'client_documents',
    'url',
    part<'now'>`${before('fresh_until', DOCUMENT_KEPT_SECONDS)} and disabled_at is null
      and not exists (select 1 from grants g where g.tenant = client_documents.tenant and g.client_id = client_documents.url)`,
  ),
];

/** Rows live at random places, so each may cost a page or two of writing; 25 keep the lock a few milliseconds on a database of a gigabyte. */
const ROWS_PER_WRITE = 25;

/** Runs one round over every table, at most `limit` rows of each. Returns how many rows went; what is left goes in the next round. */
export async function sweepExpired(driver: Driver, { now, limit }: Round): Promise<number> {
  let gone = 0;
  for (const sweep of sweeps) gone += await inSteps(driver, sweep, { now, limit });
  return gone;
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
