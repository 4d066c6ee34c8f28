/**
 * Rows for every table of a schema, whatever it is: for tests that carry whole databases about and must notice a column they lose. Values differ in every row and column.
 */
import type { Driver, Statement, Table, Value } from '../driver.ts';

/** Fills each table with `count` rows; returns every row of every table as the database then has it. */
export async function fillTables(driver: Driver, count: number): Promise<Record<string, Value[][]>> {
  for (const table of await tablesIn(driver)) {
    if (table.name === 'schema_migrations') continue;
    const types = await columnTypes(driver, table.name);
    await driver.write(Array.from({ length: count }, (_, index) => insert(table, types, index + 1)));
  }
  return allRows(driver);
}

/** Every row of every table but the list of migrations, in an order of its own. */
export async function allRows(driver: Driver): Promise<Record<string, Value[][]>> {
  const snapshot = await driver.snapshot();
  try {
    const rows: Record<string, Value[][]> = {};
    for (const table of await snapshot.tables()) {
      if (table.name === 'schema_migrations') continue;
      rows[table.name] = (await collected(snapshot.rows(table))).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    }
    return rows;
  } finally {
    await snapshot.close();
  }
}

/** What an asynchronous iterable yields, as a list. */
export async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

export async function tablesIn(driver: Driver): Promise<Table[]> {
  const snapshot = await driver.snapshot();
  return snapshot.tables().finally(() => snapshot.close());
}

async function columnTypes(driver: Driver, table: string): Promise<string[]> {
  const text =
    driver.name === 'sqlite'
      ? 'select lower(type) as type from pragma_table_info(?1) order by cid'
      : 'select data_type as type from information_schema.columns where table_schema = current_schema() and table_name = ?1 order by ordinal_position';
  return (await driver.read({ text, values: [table] })).map(({ type }) => String(type));
}

function insert({ name, columns }: Table, types: string[], row: number): Statement {
  const text = `insert into ${name} (${columns.join(', ')}) values (${columns.map((_, index) => `?${index + 1}`).join(', ')})`;
  // Far in the future, so that nothing is swept; past 2^31, so that nothing is cut short.
  return {
    text,
    values: columns.map((column, index) =>
      types[index] === 'text' ? `${column} ${row} “ö\n”` : row + index + 4_000_000_000 * Number(types[index] === 'bigint'),
    ),
  };
}
