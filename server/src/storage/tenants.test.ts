import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { auditEvent } from '../audit/event.ts';
import { furnish, probes } from './contract/isolation.ts';
import { allRows, fillTables } from './contract/made-rows.ts';
import { ownSchema } from './contract/own-schema.ts';
import type { Driver, Statement } from './driver.ts';
import { openNodeSqlite } from './drivers/node-sqlite.ts';
import { openPostgres } from './drivers/postgres.ts';
import { rowsOfEmptyTenants, tablesOfTenants } from './holdings.ts';
import { tablesOf } from './migrations/index.ts';
import { openStorage } from './open.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-tenants-'));
after(() => rmSync(folder, { recursive: true }));
const url = process.env.AUTH_AGENT_TEST_POSTGRES;

test('a tenant has rows in no other tables than those that are emptied: the list is that of the schema', () => {
  assert.deepEqual(
    tablesOfTenants.toSorted(),
    tablesOf().filter((table) => table !== 'tenants'),
  );
  assert.deepEqual(
    rowsOfEmptyTenants.filter((table) => !tablesOfTenants.includes(table)),
    [],
  );
});

const databases: [string, () => Promise<Driver>][] = [
  ['SQLite', async () => openNodeSqlite(join(folder, 'tenants.db'))],
  ['Postgres', async () => openPostgres(await ownSchema(url ?? ''), { max: 4 })],
];
for (const [name, open] of databases) {
  const skip = name === 'Postgres' && !url && !process.env.CI && 'AUTH_AGENT_TEST_POSTGRES is not set; try tools/postgres.sh run';
  test(`a tenant that is removed leaves no row in any table of ${name}, and takes none of another`, { skip }, async (t) => {
    const driver = await open();
    const storage = openStorage(driver);
    t.after(() => storage.close());
    await storage.migrate(0);
    // Two tenants with rows in every table, whatever tables there are.
    await fillTables(driver, 2);
    await driver.write([{ text: 'update tenants set removed_at = null, purged_at = null', values: [] }]);
    const [gone = '', stays = ''] = (await storage.listTenants()).map(({ tenant }) => tenant);
    const kept = await storage.countRowsOf(stays);
    assert.deepEqual(Object.keys(kept).toSorted(), tablesOfTenants.toSorted());
    assert.deepEqual(await storage.countRowsOf(gone), kept);

    await storage.removeTenant(gone, auditEvent('tenant.removed', 100, 'test'));
    // A time before any of the made-up ends, so that only the removal deletes.
    while ((await storage.sweep(0, 10)) > 0);

    assert.deepEqual(await storage.countRowsOf(gone), {});
    assert.deepEqual(await storage.countRowsOf(stays), kept);
    const rows = await allRows(driver);
    for (const table of tablesOfTenants) assert.ok(!JSON.stringify(rows[table]).includes(JSON.stringify(gone)), table);
  });
}

test('every statement of a store names its tenant as a value, and binds each of its tables to it', async () => {
  const real = openNodeSqlite(':memory:');
  const seen = new Map<string, Statement>();
  const noted = (statement: Statement): Statement => {
    seen.set(statement.text, statement);
    return statement;
  };
  const storage = openStorage({ ...real, read: (one) => real.read(noted(one)), write: (list) => real.write(list.map(noted)) });
  await storage.migrate(0);
  seen.clear();
  const store = storage.forTenant('the-tenant');
  await furnish(store);
  for (const probe of Object.values(probes)) await probe(store).catch(() => undefined);
  await storage.close();

  const statements = [...seen.values()].filter(({ text }) => !text.includes('schema_migrations'));
  assert.ok(statements.length > 250, `${statements.length} statements`);
  assert.deepEqual(
    statements.filter(({ values }) => !values.includes('the-tenant')).map(({ text }) => text),
    [],
  );
  const loose = statements.filter(({ text }) => {
    const tables = [...text.matchAll(/\b(?:from|join|into|update)\s+(\w+)/g)].filter(([, name = '']) => tablesOfTenants.includes(name));
    return (text.match(/\btenant(?: \|\| '')? ?=|\(tenant,/g) ?? []).length < tables.length;
  });
  assert.deepEqual(
    loose.map(({ text }) => text),
    [],
  );
});

test('whatever is done in one tenant, in whatever order, another with the same names of everything keeps every row', async () => {
  const driver = openNodeSqlite(':memory:');
  const storage = openStorage(driver);
  await storage.migrate(0);
  const rowsOf = async (tenant: string) => {
    const tables = tablesOfTenants.map((table) => driver.read({ text: `select * from ${table} where tenant = ?1 order by 1, 2, 3`, values: [tenant] }));
    return JSON.stringify(await Promise.all(tables));
  };
  await furnish(storage.forTenant('stays'));
  const before = await rowsOf('stays');
  let runs = 0;

  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...Object.keys(probes)), { minLength: 5, maxLength: 40 }), async (verbs) => {
      const other = storage.forTenant(`other-${runs++}`);
      await furnish(other);
      // Verbs fail and succeed as the order has it; what they answer is proven elsewhere.
      for (const verb of verbs) await probes[verb as keyof typeof probes](other).catch(() => undefined);
      assert.equal(await rowsOf('stays'), before);
    }),
    { numRuns: 25 },
  );
  await storage.close();
});
