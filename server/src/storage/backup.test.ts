import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { randomWord } from '../crypto/random.ts';
import { BadBackup, backupLines, NotEmpty, restoreLines, restoringFact } from './backup.ts';
import { allRows, collected, fillTables, tablesIn } from './contract/made-rows.ts';
import { ownSchema } from './contract/own-schema.ts';
import type { Driver } from './driver.ts';
import { openNodeSqlite } from './drivers/node-sqlite.ts';
import { openPostgres } from './drivers/postgres.ts';
import { migrationRunner, migrations, tablesOf } from './migrations/index.ts';
import { openStorage } from './open.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-backup-'));
const url = process.env.AUTH_AGENT_TEST_POSTGRES;
const opened: Driver[] = [];
after(async () => {
  for (const driver of opened) await driver.close();
  rmSync(folder, { recursive: true });
});

const sqlite = async (): Promise<Driver> => keep(openNodeSqlite(join(folder, `${randomWord(12)}.db`)));
async function postgres(): Promise<Driver> {
  if (!url) throw new Error('CI must back up a real Postgres: set AUTH_AGENT_TEST_POSTGRES');
  return keep(openPostgres(await ownSchema(url), { max: 4 }));
}
function keep(driver: Driver): Driver {
  opened.push(driver);
  return driver;
}

const backup = (driver: Driver) => collected(backupLines(driver, 1_800_000_000));
async function* each(lines: Iterable<string>): AsyncGenerator<string> {
  yield* lines;
}
const restore = (driver: Driver, lines: Iterable<string>) => restoreLines(driver, each(lines), { now: 1_800_000_001, keepAccess: true });

const directions: [string, () => Promise<Driver>, () => Promise<Driver>][] = [
  ['SQLite into SQLite', sqlite, sqlite],
  ['SQLite into Postgres', sqlite, postgres],
  ['Postgres into SQLite', postgres, sqlite],
  ['Postgres into Postgres', postgres, postgres],
];
for (const [name, from, into] of directions) {
  const skip = name.includes('Postgres') && !url && !process.env.CI && 'AUTH_AGENT_TEST_POSTGRES is not set; try tools/postgres.sh run';
  test(`a backup of ${name} carries every row of every table`, { skip }, async () => {
    const source = await from();
    await openStorage(source).migrate(1);
    const before = await fillTables(source, 3);
    assert.deepEqual(Object.keys(before).toSorted(), [...tablesOf(), 'facts'].toSorted());
    const target = await into();

    const summary = await restore(target, await backup(source));
    assert.deepEqual(await allRows(target), before);
    assert.ok(Object.values(summary.rows).every((count) => count === 3));
    assert.deepEqual(await openStorage(target).pendingMigrations(), []);
  });

  test(`what is written while ${name.split(' ')[0]} is backed up is not in the backup (${name})`, { skip }, async () => {
    const source = await from();
    const storage = openStorage(source);
    await storage.migrate(1);
    await storage.setFact('a', 'before');
    const lines = backupLines(source, 2);
    const got = [(await lines.next()).value as string];
    await storage.setFact('a', 'meanwhile');
    await storage.addTenant({ tenant: 'late', name: 'Late', createdAt: 1 });
    got.push(...(await collected(lines)));

    const target = await into();
    await restore(target, got);
    const restored = openStorage(target);
    assert.deepEqual([await restored.fact('a'), await restored.listTenants()], ['before', []]);
  });
}

test('a backup of any older version restores, and is brought up to date with nothing lost', async () => {
  for (let count = 1; count <= migrations.length; count++) {
    const older = await sqlite();
    const known = migrations.slice(0, count);
    await migrationRunner(older, known).migrate(1);
    const before = await fillTables(older, 2);
    const snapshot = await older.snapshot();
    const lines = [JSON.stringify({ format: 'auth-agent-backup', v: 1, made_at: 1, engine: 'sqlite', migrations: known.map(({ name }) => name) })];
    for (const table of await snapshot.tables()) {
      if (table.name === 'schema_migrations') continue;
      lines.push(JSON.stringify({ table: table.name, columns: table.columns }));
      for await (const row of snapshot.rows(table)) lines.push(JSON.stringify(row));
    }
    await snapshot.close();
    lines.push(JSON.stringify({ rows: Object.fromEntries(Object.entries(before).map(([name, rows]) => [name, rows.length])) }));

    const target = await sqlite();
    await restore(target, lines);
    await openStorage(older).migrate(2);
    assert.deepEqual(await allRows(target), await allRows(older), `after ${known.at(-1)?.name}`);
  }
});

test('a database that holds anything of ours is not restored into', async () => {
  const source = await sqlite();
  await openStorage(source).migrate(1);
  const lines = await backup(source);
  const before = await allRows(source);

  await assert.rejects(restore(source, lines), NotEmpty);
  assert.deepEqual(await allRows(source), before);
});

test('what is no backup, or of a newer version, changes nothing', async () => {
  const newer = JSON.stringify({ format: 'auth-agent-backup', v: 1, made_at: 1, engine: 'sqlite', migrations: ['9999-later'] });
  for (const lines of [[], ['{}'], ['hello'], ['null'], [JSON.stringify({ format: 'auth-agent-backup', v: 2 })], [newer]]) {
    const target = await sqlite();
    await assert.rejects(restore(target, lines), BadBackup);
    assert.deepEqual(await tablesIn(target), []);
  }
});

test('damage anywhere is noticed, and half a restore stays marked', async () => {
  const source = await sqlite();
  await openStorage(source).migrate(1);
  await fillTables(source, 2);
  const lines = await backup(source);
  const damage = fc.oneof(
    fc.record({
      at: fc.integer({ min: 1, max: lines.length - 1 }),
      put: fc.constantFrom('', '{', '[]', '[1]', '{"table":"users"}', '{"table":"evil; drop","columns":["a"]}'),
    }),
    fc.record({ at: fc.integer({ min: 1, max: lines.length - 1 }), put: fc.constant(undefined) }),
  );
  await fc.assert(
    fc.asyncProperty(damage, async ({ at, put }) => {
      const target = openNodeSqlite(join(folder, `${randomWord(12)}.db`));
      await assert.rejects(restore(target, lines.toSpliced(at, 1, ...(put === undefined ? [] : [put]))), BadBackup);
      assert.equal(await openStorage(target).fact(restoringFact), 'yes');
      await target.close();
    }),
    { numRuns: 25 },
  );
});

test('names of columns from a file never reach the SQL as anything else', async () => {
  const head = JSON.stringify({ format: 'auth-agent-backup', v: 1, made_at: 1, engine: 'sqlite', migrations: migrations.map(({ name }) => name) });
  for (const columns of [['name) values (1); drop table users; --'], ['"name"'], ['']]) {
    const target = await sqlite();
    await assert.rejects(restore(target, [head, JSON.stringify({ table: 'facts', columns }), '["x"]']), BadBackup);
  }
});
