import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SchemaMissing } from '../driver.ts';
import { openNodeSqlite } from '../drivers/node-sqlite.ts';
import { migrationRunner, migrations } from './index.ts';

const first = { name: '0001-first', script: 'create table one (id text primary key);' };
const second = { name: '0002-second', script: 'create table two (id text primary key);' };

test('migrations run in order, once, and only what is missing', async () => {
  const driver = openNodeSqlite(':memory:');

  assert.deepEqual(await migrationRunner(driver, [first]).migrate(1), [first.name]);
  assert.deepEqual(await migrationRunner(driver, [first, second]).pendingMigrations(), [second.name]);
  assert.deepEqual(await migrationRunner(driver, [first, second]).migrate(2), [second.name]);
  assert.deepEqual(await migrationRunner(driver, [first, second]).migrate(3), []);
  const rows = await driver.read({ text: 'select name, applied_at, length(checksum) as digits from schema_migrations order by name', values: [] });
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [
      { name: first.name, applied_at: 1, digits: 64 },
      { name: second.name, applied_at: 2, digits: 64 },
    ],
  );
});

test('a migration that was changed after it ran is refused', async () => {
  const driver = openNodeSqlite(':memory:');
  await migrationRunner(driver, [first]).migrate(1);
  const changed = migrationRunner(driver, [{ ...first, script: `${first.script} -- harmless` }, second]);

  await assert.rejects(changed.migrate(2), /0001-first was changed after it ran/);
  await assert.rejects(changed.pendingMigrations(), /0001-first was changed after it ran/);
  await assert.rejects(driver.read({ text: 'select * from two', values: [] }), SchemaMissing);
});

test('the checksum of a migration is made once: whoever asks for readiness does not pay for all scripts', async () => {
  let read = 0;
  const counted = {
    name: first.name,
    get script() {
      read += 1;
      return first.script;
    },
  };
  const runner = migrationRunner(openNodeSqlite(':memory:'), [counted]);
  await runner.migrate(1);
  read = 0;

  assert.deepEqual([await runner.pendingMigrations(), await runner.pendingMigrations(), read], [[], [], 0]);
});

test('a migration that fails leaves nothing behind', async () => {
  const driver = openNodeSqlite(':memory:');
  const broken = { name: '0001-broken', script: `${first.script} create table broken (;` };

  await assert.rejects(migrationRunner(driver, [broken]).migrate(1));
  assert.deepEqual(await migrationRunner(driver, [first]).migrate(1), [first.name]);
});

test('names of migrations are numbered, ordered and harmless in SQL', () => {
  const names = migrations.map(({ name }) => name);

  assert.deepEqual(names, names.toSorted());
  for (const [index, name] of names.entries()) assert.match(name, new RegExp(`^${String(index + 1).padStart(4, '0')}-[a-z-]+$`));
});
