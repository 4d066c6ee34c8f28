/**
 * The tenants of a database. Every other row belongs to one; the root tenant needs no row here.
 */
import { type Driver, sql } from '../driver.ts';
import { text, whole } from '../row.ts';
import type { Storage } from '../store.ts';

const add = sql<{ tenant: string; name: string; createdAt: number }>`insert into tenants (tenant, name, created_at)
  values (${'tenant'}, ${'name'}, ${'createdAt'}) on conflict do nothing`;
const find = sql<{ tenant: string }>`select 1 as found from tenants where tenant = ${'tenant'}`;
const list = sql<Record<never, never>>`select tenant, name, created_at from tenants order by created_at, tenant`;

export function tenantsTable(driver: Driver): Pick<Storage, 'addTenant' | 'hasTenant' | 'listTenants'> {
  return {
    async addTenant(tenant) {
      const [added] = await driver.write([add(tenant)]);
      return added?.changes === 1 ? 'added' : 'taken';
    },
    async hasTenant(tenant) {
      return (await driver.read(find({ tenant }))).length > 0;
    },
    async listTenants() {
      const rows = await driver.read(list({}));
      return rows.map((row) => ({ tenant: text(row.tenant), name: text(row.name), createdAt: whole(row.created_at) }));
    },
  };
}
