/**
 * SQLite through `node:sqlite` (Node and Bun): WAL, synchronous=FULL, one process or several on one machine. Writes of a few event-loop turns share one
 * durable commit, because a commit costs more than everything around it; each caller still gets its own result, and its own failure.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import {
  ConstraintError,
  type Driver,
  type Result,
  type Row,
  SchemaMissing,
  type Snapshot,
  type Statement,
  StorageUnavailable,
  type Table,
  type Value,
} from '../driver.ts';

/** Batches in one commit at most, so that no commit takes long. */
const BATCHES_PER_COMMIT = 128;
/** Turns of the event loop that a commit waits for more, as long as each brings some, and batches that are enough. A commit writes the same few pages again, however little is in it. */
const TURNS = 4;
const ENOUGH = 64;

/** `columns` are the names of what a row has; none for a statement that answers nothing. */
type Prepared = { statement: StatementSync; columns: string[] };
type Batch = { statements: Statement[]; resolve: (results: Result[]) => void; reject: (error: unknown) => void };

/**
 * Opens (and creates, readable by its owner only) a database file, or one in memory with `:memory:`. Another process may hold the write lock for
 * `busyTimeoutMs` before a write is refused with StorageUnavailable; this process stands still meanwhile.
 */
export function openNodeSqlite(path: string, { busyTimeoutMs = 5000 }: { busyTimeoutMs?: number } = {}): Driver {
  const database = openDatabase(path, busyTimeoutMs);
  const prepared = new Map<string, Prepared>();
  const queue: Batch[] = [];

  // The texts are the constants of tables/, so the cache is bounded by the code.
  const prepare = (text: string): Prepared => {
    const known = prepared.get(text);
    if (known !== undefined) return known;
    const statement = database.prepare(text);
    statement.setReturnArrays(true);
    const made = { statement, columns: statement.columns().map(({ name }) => name) };
    prepared.set(text, made);
    return made;
  };
  const run = ({ text, values }: Statement): Result => {
    const known = prepare(text);
    if (known.columns.length === 0) return { rows: [], changes: Number(known.statement.run(...values).changes) };
    const rows = rowsOf(known, values);
    return { rows, changes: rows.length };
  };
  const begin = database.prepare('begin immediate');
  const commit = database.prepare('commit');
  const look = database.prepare('begin');
  let looking = false;

  // Reads of one turn share one look at the database: taking the read lock costs more than most reads. It ends before anything of this process is written
  // and with the turn, so what another process commits is seen from the next turn on.
  const beginLooking = (): void => {
    if (looking) return;
    look.run();
    looking = true;
    setImmediate(endLooking);
  };
  const endLooking = (): void => {
    if (!looking) return;
    looking = false;
    if (database.isOpen && database.isTransaction) commit.run();
  };
  const rollback = () => {
    if (database.isTransaction) database.exec('rollback');
  };

  const commitTogether = (batches: Batch[]): Result[][] => {
    begin.run();
    try {
      const results = batches.map(({ statements }) => statements.map(run));
      commit.run();
      return results;
    } catch (error) {
      rollback();
      throw error;
    }
  };

  // Only after a batch has failed: savepoints keep the failure to the batch it belongs to.
  const commitApart = (batches: Batch[]): (Result[] | Error)[] => {
    begin.run();
    try {
      const results = batches.map(({ statements }) => {
        database.exec('savepoint batch');
        try {
          return statements.map(run);
        } catch (error) {
          // A full disk ends the whole transaction; then there is nothing left to go back to.
          if (!database.isTransaction) throw error;
          database.exec('rollback to batch');
          return translated(error);
        } finally {
          if (database.isTransaction) database.exec('release batch');
        }
      });
      commit.run();
      return results;
    } catch (error) {
      rollback();
      throw error;
    }
  };

  const settle = (batches: Batch[], attempt: () => (Result[] | Error)[]): void => {
    let results: (Result[] | Error)[];
    try {
      results = attempt();
    } catch (error) {
      const failure = translated(error);
      results = batches.map(() => failure);
    }
    for (const [index, batch] of batches.entries()) {
      const result = results[index];
      if (Array.isArray(result)) batch.resolve(result);
      else batch.reject(result);
    }
  };

  let gathered = 0;
  let turns = 0;
  const gather = (): void => {
    if (queue.length > gathered && queue.length < ENOUGH && turns < TURNS) {
      gathered = queue.length;
      turns += 1;
      return void setImmediate(gather);
    }
    flush();
  };
  const flush = (): void => {
    gathered = 0;
    turns = 0;
    const batches = queue.splice(0, BATCHES_PER_COMMIT);
    if (batches.length === 0) return;
    endLooking();
    if (queue.length > 0) setImmediate(gather);
    settle(batches, () => {
      try {
        return commitTogether(batches);
      } catch (error) {
        if (batches.length === 1 || translated(error) instanceof StorageUnavailable) throw error;
        return commitApart(batches);
      }
    });
  };

  return {
    name: 'sqlite',
    read(statement) {
      try {
        beginLooking();
        return Promise.resolve(rowsOf(prepare(statement.text), statement.values));
      } catch (error) {
        return Promise.reject(translated(error));
      }
    },
    write(statements) {
      return new Promise((resolve, reject) => {
        if (queue.push({ statements, resolve, reject }) === 1) setImmediate(gather);
      });
    },
    async script(sql) {
      try {
        endLooking();
        database.exec('begin exclusive');
        database.exec(sql);
        database.exec('commit');
      } catch (error) {
        rollback();
        throw translated(error);
      }
    },
    async snapshot() {
      if (path === ':memory:') throw new TypeError('a database in memory cannot be looked at from beside');
      return openSnapshot(path, busyTimeoutMs);
    },
    async close() {
      while (queue.length > 0) flush();
      endLooking();
      if (database.isOpen) database.close();
    },
  };
}

/** Rows made here from arrays share their shape, which the rows that node:sqlite makes do not; making and reading them takes half as long. */
function rowsOf({ statement, columns }: Prepared, values: Value[]): Row[] {
  return (statement.all(...values) as unknown as Value[][]).map((cells) => {
    const row: Row = {};
    for (let index = 0; index < columns.length; index += 1) row[columns[index] as string] = cells[index] as Value;
    return row;
  });
}

/** A reading transaction on a connection of its own: WAL keeps what it sees as it was. */
function openSnapshot(path: string, timeout: number): Snapshot {
  const database = new DatabaseSync(path, { timeout, readOnly: true });
  const columns = database.prepare('select name from pragma_table_info(?) order by cid');
  // It begins with the first read, not with "begin".
  database.exec('begin; select 1 from sqlite_schema');
  return {
    async tables() {
      const names = database.prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite%' order by name").all();
      return names.map(({ name }) => ({ name: String(name), columns: columns.all(String(name)).map((column) => String(column.name)) }));
    },
    async *rows({ name, columns }: Table) {
      const statement = database.prepare(`select ${columns.map(quoted).join(', ')} from ${quoted(name)}`);
      statement.setReturnArrays(true);
      yield* statement.iterate() as unknown as Iterable<Value[]>;
    },
    async close() {
      database.close();
    },
  };
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function openDatabase(path: string, timeout: number): DatabaseSync {
  if (path !== ':memory:') keepToOwner(path);
  try {
    const database = new DatabaseSync(path, { timeout });
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma trusted_schema = off; pragma cache_size = -16000');
    // A checkpoint holds up everybody until the disk has it: 500 pages take about 10 ms there, 4000 took 50, and more of them cost nothing that could be measured.
    database.exec('pragma wal_autocheckpoint = 500');
    return database;
  } catch (error) {
    throw translated(error);
  }
}

/** The journal files next to a database take its mode, so this covers them too. */
function keepToOwner(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
}

const CONSTRAINT = 19;
/** busy, locked, read-only, I/O error, full, cannot open, protocol. */
const UNAVAILABLE = new Set([5, 6, 8, 10, 13, 14, 15]);

function translated(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('Unknown failure of the database', { cause: error });
  if (!('errcode' in error) || typeof error.errcode !== 'number') return error;
  // The low byte is the primary result code, the rest a detail.
  const code = error.errcode & 0xff;
  if (code === CONSTRAINT) return new ConstraintError(error.message, { cause: error });
  if (UNAVAILABLE.has(code)) return new StorageUnavailable(error.message, { cause: error });
  if (error.message.startsWith('no such table')) return new SchemaMissing(error.message, { cause: error });
  return error;
}
