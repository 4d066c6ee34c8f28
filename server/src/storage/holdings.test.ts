import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openNodeSqlite } from './drivers/node-sqlite.ts';
import { holdings, holdsNothing } from './holdings.ts';
import { openStorage } from './open.ts';

async function schema(): Promise<Map<string, string[]>> {
  const driver = openNodeSqlite(':memory:');
  await openStorage(driver).migrate(0);
  const rows = await driver.read({
    text: `select m.name, c.name as col from sqlite_master m join pragma_table_info(m.name) c
      where m.type = 'table' and m.name not like 'sqlite_%' and c.name <> 'tenant'`,
    values: [],
  });
  await driver.close();
  const tables = new Map<string, string[]>();
  for (const { name, col } of rows) tables.set(String(name), [...(tables.get(String(name)) ?? []), String(col)]);
  return tables;
}

test('every table says what it holds of a person, or why that is nothing', async () => {
  const tables = [...(await schema()).keys()];

  assert.deepEqual([...Object.keys(holdings), ...Object.keys(holdsNothing)].toSorted(), tables.toSorted());
});

test('every column of a table that holds something of a person is handed out or withheld', async () => {
  const tables = await schema();

  for (const [table, { shown, withheld }] of Object.entries(holdings)) {
    assert.deepEqual([...shown, ...withheld].toSorted(), tables.get(table)?.toSorted(), table);
  }
});

test('a table that names a person is none of those that hold nothing', async () => {
  const tables = await schema();

  for (const table of Object.keys(holdsNothing)) {
    assert.deepEqual(
      tables.get(table)?.filter((column) => ['user_id', 'owner_id', 'email'].includes(column)),
      [],
      table,
    );
  }
});

test('nothing that is handed out is a secret or a hash', () => {
  for (const [table, { shown }] of Object.entries(holdings)) {
    assert.deepEqual(
      shown.filter((column) => /hash|secret|sealed|_key$|handle|jkt|sid$/.test(column)),
      [],
      table,
    );
  }
});
