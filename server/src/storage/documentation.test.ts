import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openNodeSqlite } from './drivers/node-sqlite.ts';
import { openStorage } from './open.ts';

test('docs/storage.md has a row for every table, and only for tables there are', async () => {
  const page = readFileSync(new URL('../../../docs/storage.md', import.meta.url), 'utf8');
  const driver = openNodeSqlite(':memory:');
  await openStorage(driver).migrate(0);
  const rows = await driver.read({ text: "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'", values: [] });

  const documented = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(documented.toSorted(), rows.map(({ name }) => name).toSorted());
});

test('every row of every table belongs to a tenant, except what is about the database as a whole', async () => {
  const driver = openNodeSqlite(':memory:');
  await openStorage(driver).migrate(0);
  const withoutTenant = await driver.read({
    text: `select m.name from sqlite_master m where m.type = 'table' and m.name not like 'sqlite_%'
      and not exists (select 1 from pragma_table_info(m.name) c where c.name = 'tenant' and c."notnull" + c.pk > 0) order by m.name`,
    values: [],
  });

  assert.deepEqual(
    withoutTenant.map(({ name }) => name),
    ['facts', 'schema_migrations'],
  );
});
