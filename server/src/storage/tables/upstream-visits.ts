/**
 * Who is on the way to an upstream, and who came back as a stranger; by the hash of the state or of the handle on the page. A visit is handed over once, and
 * only to the browser that began it (LOG-07).
 */
import { type Driver, literal, part, type Row, sql } from '../driver.ts';
import { text, whole } from '../row.ts';
import type { Store, UpstreamVisit } from '../store.ts';

const columns = literal('id_hash, browser_hash, stage, upstream_id, sealed, created_at, expires_at');
type VisitRow = UpstreamVisit & { tenant: string };
const insert = sql<VisitRow>`insert into upstream_visits (tenant, ${columns})
  values (${'tenant'}, ${'idHash'}, ${'browserHash'}, ${'stage'}, ${'upstreamId'}, ${'sealed'}, ${'createdAt'}, ${'expiresAt'})`;

type Key = { tenant: string; idHash: string; browserHash: string; stage: string; now: number };
const standing = part<keyof Key>`where tenant = ${'tenant'} and id_hash = ${'idHash'} and browser_hash = ${'browserHash'} and stage = ${'stage'}
  and expires_at > ${'now'}`;
const find = sql<Key>`select ${columns} from upstream_visits ${standing}`;
const take = sql<Key>`delete from upstream_visits ${standing} returning ${columns}`;

type Verbs = 'beginUpstreamVisit' | 'findUpstreamVisit' | 'takeUpstreamVisit';

export function upstreamVisitsTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  return {
    async beginUpstreamVisit(visit) {
      await driver.write([insert({ ...visit, tenant })]);
    },
    async findUpstreamVisit(key, now) {
      const [row] = await driver.read(find({ ...key, tenant, now }));
      return row && visitOf(row);
    },
    async takeUpstreamVisit(key, now) {
      const [taken] = await driver.write([take({ ...key, tenant, now })]);
      const row = taken?.rows[0];
      return row && visitOf(row);
    },
  };
}

function visitOf(row: Row): UpstreamVisit {
  return {
    idHash: text(row.id_hash),
    browserHash: text(row.browser_hash),
    // Only this file writes the column, and only with a stage.
    stage: text(row.stage) as UpstreamVisit['stage'],
    upstreamId: text(row.upstream_id),
    sealed: text(row.sealed),
    createdAt: whole(row.created_at),
    expiresAt: whole(row.expires_at),
  };
}
