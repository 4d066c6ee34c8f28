/**
 * A stage with two tenants whose every request is kept together with the rows there were before it, so that it can be sent again, as it was or with a value
 * of the other tenant in it, to a database that is as it was then.
 */
import type { Route } from '../../src/route.ts';
import { routes } from '../../src/server.ts';
import type { Driver, Row, Statement } from '../../src/storage/driver.ts';
import { openNodeSqlite } from '../../src/storage/drivers/node-sqlite.ts';
import { tablesOfTenants } from '../../src/storage/holdings.ts';

export type Rows = ReadonlyMap<string, readonly Row[]>;

/** One request, without the tenant in its address. */
export type Recorded = { method: string; route: Route; path: string; query: string; headers: Record<string, string>; body?: string; before: Rows };

/** A database in which the rows of a tenant can be read, compared and put back. */
export type RewindableDriver = Driver & {
  rowsOf(tenant: string): Promise<Rows>;
  /** Makes the rows of a tenant what they were. Costs nothing when nothing was written since. */
  rewind(tenant: string, rows: Rows): Promise<void>;
};

export function rewindable(): RewindableDriver {
  const driver = openNodeSqlite(':memory:');
  const read = new Map<string, Rows>();
  let writes = 0;
  const ofTenant = (table: string, tenant: string): Statement => ({ text: `select * from ${table} where tenant = ?1 order by 1, 2, 3`, values: [tenant] });

  async function rowsOf(tenant: string): Promise<Rows> {
    const known = read.get(tenant);
    if (known) return known;
    const began = writes;
    const rows = new Map<string, readonly Row[]>();
    for (const table of tablesOfTenants) rows.set(table, await driver.read(ofTenant(table, tenant)));
    if (began === writes) read.set(tenant, rows);
    return rows;
  }

  return {
    ...driver,
    async write(statements) {
      try {
        return await driver.write(statements);
      } finally {
        read.clear();
        writes += 1;
      }
    },
    rowsOf,
    async rewind(tenant, rows) {
      const now = await rowsOf(tenant);
      const changed = tablesOfTenants.filter((table) => now.get(table) !== rows.get(table) && textOf(now.get(table)) !== textOf(rows.get(table)));
      if (changed.length > 0) {
        await driver.write(
          changed.flatMap((table) => [
            { text: `delete from ${table} where tenant = ?1`, values: [tenant] },
            ...(rows.get(table) ?? []).map((row) => inserted(table, row)),
          ]),
        );
      }
      read.set(tenant, rows);
    },
  };
}

/** What is different between two states of a tenant, row by row. */
export function difference(earlier: Rows, now: Rows): { gone: string[]; came: string[] } {
  const [before, after] = [earlier, now].map((rows) => new Set([...rows].flatMap(([table, list]) => list.map((row) => `${table} ${JSON.stringify(row)}`))));
  return { gone: [...(before ?? [])].filter((row) => !after?.has(row)), came: [...(after ?? [])].filter((row) => !before?.has(row)) };
}

const textOf = (rows: readonly Row[] | undefined): string => JSON.stringify(rows);

function inserted(table: string, row: Row): Statement {
  const columns = Object.keys(row);
  return { text: `insert into ${table} (${columns.join(', ')}) values (${columns.map((_, index) => `?${index + 1}`).join(', ')})`, values: Object.values(row) };
}

/** The route that answers a path below a tenant. Fixed paths are found before those with parameters, as the server does. */
export function routeOf(path: string): Route | undefined {
  return routes.find((route) => route.path === path) ?? routes.find((route) => patternOf(route.path).test(path));
}

/** The path of a route with named groups for its parameters. */
export function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`);
}
