import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { randomWord } from '../../crypto/random.ts';
import { fillTables, tablesIn } from '../contract/made-rows.ts';
import { ownSchema } from '../contract/own-schema.ts';
import type { Driver } from '../driver.ts';
import { openNodeSqlite } from '../drivers/node-sqlite.ts';
import { openPostgres } from '../drivers/postgres.ts';
import { migrationRunner, migrations, tablesOf } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-migrations-'));
after(() => rmSync(folder, { recursive: true }));

/** Every value a table had before, column by column, is there after: for the columns that stayed. */
async function keepsRows(open: (name: string) => Promise<Driver>): Promise<void> {
  for (let count = 1; count < migrations.length; count++) {
    const driver = await open(`${randomWord(12).toLowerCase()}`);
    await migrationRunner(driver, migrations.slice(0, count)).migrate(1);
    const columnsBefore = new Map((await tablesIn(driver)).map(({ name, columns }) => [name, columns]));
    const before = await fillTables(driver, 3);
    await migrationRunner(driver).migrate(2);

    for (const table of await tablesIn(driver)) {
      const kept = table.columns.filter((column) => columnsBefore.get(table.name)?.includes(column));
      if (kept.length === 0 || table.name === 'schema_migrations') continue;
      const had = (before[table.name] ?? []).map((row) => kept.map((column) => row[columnsBefore.get(table.name)?.indexOf(column) ?? -1]));
      const has = (await driver.read({ text: `select ${kept.join(', ')} from ${table.name}`, values: [] })).map((row) => kept.map((column) => row[column]));
      const sorted = (rows: unknown[][]) => rows.map((row) => JSON.stringify(row)).toSorted();
      assert.deepEqual(sorted(has), sorted(had), `${table.name}, from ${migrations[count - 1]?.name}`);
    }
    await driver.close();
  }
}

test('from every older schema with data, migrating loses no value (SQLite)', () => keepsRows(async (name) => openNodeSqlite(join(folder, name))));

const url = process.env.AUTH_AGENT_TEST_POSTGRES;
const skip = !url && !process.env.CI && 'AUTH_AGENT_TEST_POSTGRES is not set; try tools/postgres.sh run';
test('from every older schema with data, migrating loses no value (Postgres)', { skip }, async () => {
  if (!url) throw new Error('CI must migrate a real Postgres: set AUTH_AGENT_TEST_POSTGRES');
  await keepsRows(async () => openPostgres(await ownSchema(url), { max: 2 }));
});

test('the list of tables that the migrations make is that of the database', async () => {
  const driver = openNodeSqlite(join(folder, 'list.db'));
  await migrationRunner(driver).migrate(1);
  assert.deepEqual(
    (await tablesIn(driver)).map(({ name }) => name),
    [...tablesOf(), 'facts', 'schema_migrations'].toSorted(),
  );
  await driver.close();
});

test('a database that a newer version has migrated says so', async () => {
  const driver = openNodeSqlite(join(folder, 'newer.db'));
  const later = { name: '9999-later', script: 'create table later (id text primary key);' };
  await migrationRunner(driver, [...migrations, later]).migrate(1);
  assert.deepEqual(await migrationRunner(driver).unknownMigrations(), [later.name]);
  assert.deepEqual(await migrationRunner(driver).pendingMigrations(), []);
  await driver.close();
});
