/**
 * The tenants of a database. Every other row belongs to one; the root tenant needs no row here. A removed tenant leaves its name, so that nobody gets it while
 * the rows are swept and tokens of the old one are still believed (sweep.ts).
 */
import type { AuditEvent } from '../../audit/event.ts';
import { type Driver, literal, type Row, type Statement, sql } from '../driver.ts';
import { tablesOfTenants } from '../holdings.ts';
import { optionalText, present, text, whole } from '../row.ts';
import type { Tenant } from '../store.ts';
import type { TenantVerbs } from '../verbs/tenants.ts';
import { eventIfTenant } from './audit-events.ts';

type TenantRow = { tenant: string; name: string; settings: string | null; mark: string | null };

const living = literal('removed_at is null');
const add = sql<TenantRow & { createdAt: number }>`insert into tenants (tenant, name, settings, created_at, last_event)
  values (${'tenant'}, ${'name'}, ${'settings'}, ${'createdAt'}, ${'mark'})
  on conflict (tenant) do update set name = excluded.name, settings = excluded.settings, created_at = excluded.created_at, last_event = excluded.last_event,
    removed_at = null, purged_at = null
  where tenants.purged_at is not null`;
const change = sql<TenantRow>`update tenants set name = ${'name'}, settings = ${'settings'}, last_event = ${'mark'} where tenant = ${'tenant'} and ${living}`;
const remove = sql<{ tenant: string; now: number; mark: string }>`update tenants set removed_at = ${'now'}, settings = null, last_event = ${'mark'}
  where tenant = ${'tenant'} and ${living}`;
const columns = literal('tenant, name, settings, created_at');
const has = sql<{ tenant: string }>`select 1 as found from tenants where tenant = ${'tenant'} and ${living}`;
const find = sql<{ tenant: string }>`select ${columns} from tenants where tenant = ${'tenant'} and ${living}`;
const list = sql<Record<never, never>>`select ${columns} from tenants where ${living} order by created_at, tenant`;
const counts = tablesOfTenants.map((table) => ({
  table,
  count: sql<{ tenant: string }>`select count(*) as rows_of_it from ${literal(table)} where tenant = ${'tenant'}`,
}));

export function tenantsTable(driver: Driver): TenantVerbs {
  const written = async (statement: Statement, tenant: string, event: AuditEvent | undefined): Promise<boolean> => {
    const [result] = await driver.write([statement, ...(event ? [eventIfTenant(tenant, event)] : [])]);
    return result?.changes === 1;
  };
  const hasTenant = async (tenant: string): Promise<boolean> => (await driver.read(has({ tenant }))).length > 0;
  return {
    hasTenant,
    async addTenant({ tenant, name, createdAt, settings }, event) {
      if (await written(add({ tenant, name, settings: settings ?? null, createdAt, mark: event?.id ?? null }), tenant, event)) return 'added';
      return (await hasTenant(tenant)) ? 'taken' : 'resting';
    },
    changeTenant: ({ tenant, name, settings }, event) => written(change({ tenant, name, settings: settings ?? null, mark: event.id }), tenant, event),
    removeTenant: (tenant, event) => written(remove({ tenant, now: event.at, mark: event.id }), tenant, event),
    async findTenant(tenant) {
      const [row] = await driver.read(find({ tenant }));
      return row && tenantOf(row);
    },
    async listTenants() {
      return (await driver.read(list({}))).map(tenantOf);
    },
    async countRowsOf(tenant) {
      const counted = counts.map(async ({ table, count }) => [table, whole((await driver.read(count({ tenant })))[0]?.rows_of_it)] as const);
      return Object.fromEntries((await Promise.all(counted)).filter(([, rows]) => rows > 0));
    },
  };
}

function tenantOf(row: Row): Tenant {
  return present({ tenant: text(row.tenant), name: text(row.name), createdAt: whole(row.created_at), settings: optionalText(row.settings) });
}
