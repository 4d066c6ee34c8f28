import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { auditEvent } from '../audit/event.ts';
import { allRows, fillTables } from './contract/made-rows.ts';
import { ownSchema } from './contract/own-schema.ts';
import type { Driver } from './driver.ts';
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
