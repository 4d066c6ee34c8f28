/**
 * Cloudflare D1: SQLite behind a binding. A batch is one transaction there, which is all that a verb of the store asks for. Its tables are made by
 * `wrangler d1 migrations apply` from `workers/migrations`, never by a request.
 */
import { ConstraintError, type Driver, type Result, type Row, SchemaMissing, type Statement, StorageUnavailable } from '../driver.ts';

/** The part of the binding that this driver uses. */
export type D1Database = { prepare(text: string): D1Statement; batch(statements: D1Statement[]): Promise<D1Answer[]> };
type D1Statement = { bind(...values: unknown[]): D1Statement; all(): Promise<D1Answer> };
type D1Answer = { results?: Row[]; meta: { changes?: number } };

export function openD1(database: D1Database): Driver {
  const bound = ({ text, values }: Statement): D1Statement => database.prepare(text).bind(...values);
  const asked = async <Value>(act: () => Promise<Value>): Promise<Value> => {
    try {
      return await act();
    } catch (error) {
      throw translated(error);
    }
  };
  return {
    name: 'sqlite',
    read: (statement) => asked(async () => (await bound(statement).all()).results ?? []),
    write: (statements) => asked(async () => (statements.length === 0 ? [] : (await database.batch(statements.map(bound))).map(resultOf))),
    script: (sql) => asked(async () => void (await database.batch(statementsOf(sql).map((text) => database.prepare(text))))),
    snapshot: () => Promise.reject(new TypeError('D1 is backed up by Cloudflare: wrangler d1 export')),
    close: () => Promise.resolve(),
  };
}

function resultOf({ results = [], meta }: D1Answer): Result {
  return { rows: results, changes: results.length > 0 ? results.length : (meta.changes ?? 0) };
}

/** The scripts of migrations have a statement end at each semicolon at the end of a line; D1 takes one statement at a time. */
function statementsOf(sql: string): string[] {
  return sql
    .split(/;\s*(?:\n|$)/)
    .map((text) => text.trim())
    .filter((text) => text !== '');
}

function translated(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('Unknown failure of the database', { cause: error });
  if (error.message.includes('SQLITE_CONSTRAINT')) return new ConstraintError(error.message, { cause: error });
  if (/no such table/.test(error.message)) return new SchemaMissing(error.message, { cause: error });
  if (/SQLITE_(BUSY|FULL|IOERR|CANTOPEN)|Network connection lost|overloaded|reset|timeout|exceeded/i.test(error.message))
    return new StorageUnavailable(error.message, { cause: error });
  return error;
}
