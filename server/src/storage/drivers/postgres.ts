/**
 * Postgres through `pg`, for any number of nodes. A batch travels as one pipeline (begin, statements, commit), so it costs one round trip; a single
 * statement commits by itself. Isolation is read committed: each verb's condition is checked again by Postgres on the row it finally locks.
 */
import { createHash } from 'node:crypto';
import pg, { type PoolClient, type QueryConfig, type QueryResult } from 'pg';
import {
  ConstraintError,
  type Driver,
  type Haste,
  type Result,
  type Row,
  SchemaMissing,
  type Snapshot,
  type Statement,
  StorageRefused,
  StorageUnavailable,
  type Table,
} from '../driver.ts';

const CONNECT_TIMEOUT_MS = 5000;
const STATEMENT_TIMEOUT_MS = 10_000;
/** Longer than the server's own limit: it only ends what a dead network would leave hanging. */
const ANSWER_TIMEOUT_MS = 15_000;
const UNLIMITED_MS = 2 ** 31 - 1;
/** Tries of a batch that lost a deadlock or a serialization conflict; it was rolled back, so it may run again. */
const TRIES = 5;
/** Any number that no other application on this database is likely to lock. */
const MIGRATION_LOCK = 4_703_919_738;

/**
 * Postgres keeps the plan of a named statement until the next analyze. While a database is empty all its indexes look alike, and joining without them too: plans from then
 * read whole tables, times each other, once they fill up (measured with 8000 grants: 9 s for one refresh). So until there is something to count each statement is planned anew.
 */
const GROWN = `select 1 from pg_class where relname = 'grants' and relnamespace = to_regnamespace(quote_ident(current_schema())) and reltuples >= 1000`;
/** Reads between two looks at that. */
const LOOK_EVERY = 1000;
type Growth = { grown: boolean; left: number };
/** By URL: what opens a database anew for each request, as a Worker does, need not look anew. */
const growths = new Map<string, Growth>();

/**
 * Opens a pool of at most `max` connections, closed when nobody used them for `idleMs` milliseconds; connects on first use. The URL takes what libpq's does, `?sslmode=verify-full` among it.
 * Several statements run as one transaction on one connection, so `max` also bounds how many writes are in flight.
 */
export function openPostgres(url: string, { max = 10, idleMs = 30_000 }: { max?: number; idleMs?: number } = {}): Driver {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    pipeline: true,
    keepAlive: true,
    application_name: 'auth-agent',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: idleMs,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    types: { getTypeParser: (oid) => (WHOLE_NUMBERS.has(oid) ? Number : String) },
  });
  // Without listeners a connection lost while nobody waits for it would end the process; whoever uses it next gets the error.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));

  const prepared = new Map<string, { name: string; text: string }>();
  const growth = growths.get(url) ?? { grown: false, left: LOOK_EVERY };
  growths.set(url, growth);
  /** Behind a read, whose connection is free again: it opens none. */
  const look = () => {
    if (growth.grown || growth.left-- > 0) return;
    growth.left = LOOK_EVERY;
    pool.query({ text: GROWN }).then(
      ({ rows }) => {
        growth.grown = rows.length > 0;
      },
      // Whoever needs the database is told; this looks again later.
      () => {},
    );
  };
  const prepare = (statement: Statement): QueryConfig => {
    const known = prepared.get(statement.text) ?? named(statement.text);
    prepared.set(statement.text, known);
    return { ...(growth.grown ? known : { text: known.text }), values: statement.values };
  };

  const transaction = async (queries: QueryConfig[], query_timeout = ANSWER_TIMEOUT_MS): Promise<QueryResult[]> => {
    const client = await pool.connect();
    let broken = true;
    try {
      const results = await pipelined(
        client,
        [{ text: 'begin' }, ...queries, { text: 'commit' }].map((query) => ({ ...query, query_timeout })),
      );
      broken = false;
      return results.slice(1, -1);
    } catch (error) {
      broken = !isAnswer(error);
      throw error;
    } finally {
      client.release(broken);
    }
  };
  /** Its queries have neither the server's limit nor ours, which begins to count when a query joins the pipeline: the commit waits for all before it. */
  const unhurried = async (queries: QueryConfig[]): Promise<QueryResult[]> =>
    (await transaction([{ text: 'set local statement_timeout = 0' }, ...queries], UNLIMITED_MS)).slice(1);
  const write = async (statements: Statement[], haste: Haste = {}): Promise<Result[]> => {
    const queries = statements.map(prepare);
    const [first] = queries;
    if (first === undefined) return [];
    const results = haste.unhurried ? await unhurried(queries) : queries.length === 1 ? [await pool.query(first)] : await transaction(queries);
    return results.map(({ rows, rowCount }) => ({ rows: rows as Row[], changes: rowCount ?? 0 }));
  };

  return {
    name: 'postgres',
    async read(statement) {
      for (let tried = 1; ; tried++) {
        try {
          const { rows } = await pool.query(prepare(statement));
          look();
          return rows;
        } catch (error) {
          // No text here holds a NUL, so whoever asks for one finds nothing.
          if (sqlState(error) === '22021') return [];
          if (tried > max || !isLost(error)) throw translated(error);
        }
      }
    },
    async write(statements, haste) {
      for (let tried = 1; ; tried++) {
        try {
          return await write(statements, haste);
        } catch (error) {
          if (tried === TRIES || !isConflict(error)) throw translated(error);
        }
      }
    },
    async script(sql) {
      try {
        await unhurried([{ text: `select pg_advisory_xact_lock(${MIGRATION_LOCK})` }, { text: sql }]);
      } catch (error) {
        throw translated(error);
      }
    },
    async snapshot() {
      try {
        return await openSnapshot(await pool.connect());
      } catch (error) {
        throw translated(error);
      }
    },
    close: () => pool.end(),
  };
}

/** Where a URL leads and whether with TLS, as `pg` reads it: by itself it speaks in the clear. Connects to nothing. */
export function addressOf(url: string): { host: string; encrypted: boolean } {
  const { host, ssl } = new pg.Client({ connectionString: url });
  return { host, encrypted: ssl !== false };
}

const COLUMNS = `select c.table_name, c.column_name from information_schema.columns c
  join information_schema.tables t using (table_schema, table_name)
  where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' order by c.table_name, c.ordinal_position`;
const ROWS_PER_FETCH = 500;

/** One transaction that sees what was there when it first looked. */
async function openSnapshot(client: PoolClient): Promise<Snapshot> {
  const ask = (text: string) => client.query({ text, rowMode: 'array', query_timeout: UNLIMITED_MS });
  await ask('begin isolation level repeatable read read only');
  await ask('set local statement_timeout = 0');
  await ask('set local idle_in_transaction_session_timeout = 0');
  // What it sees is settled by the first question, not by "begin".
  await ask('select 1');
  return {
    async tables() {
      const found = Map.groupBy((await ask(COLUMNS)).rows, ([table]) => String(table));
      return [...found].map(([name, columns]) => ({ name, columns: columns.map(([, column]) => String(column)) }));
    },
    async *rows({ name, columns }: Table) {
      await ask(`declare backup no scroll cursor for select ${columns.map(quoted).join(', ')} from ${quoted(name)}`);
      for (;;) {
        const { rows } = await ask(`fetch ${ROWS_PER_FETCH} from backup`);
        if (rows.length === 0) break;
        yield* rows;
      }
      await ask('close backup');
    },
    async close() {
      // The connection goes, and with it whatever was left open on it.
      client.release(true);
    },
  };
}

const quoted = (name: string): string => pg.escapeIdentifier(name);

/** int8, int2 and int4; everything else in this schema is text. */
const WHOLE_NUMBERS = new Set([20, 21, 23]);

function named(text: string): { name: string; text: string } {
  return { name: `aa_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`, text: text.replace(/\?(\d+)/g, '$$$1') };
}

/**
 * Sends everything at once. After a failure Postgres refuses the rest and turns the commit into a rollback, so the batch is atomic either way; the first
 * failure is the real one.
 */
async function pipelined(client: PoolClient, queries: QueryConfig[]): Promise<QueryResult[]> {
  // One packet instead of one for each query: a fifth of what a batch costs here. What a Worker speaks through cannot do that.
  const { stream } = client.connection;
  stream.cork?.();
  const asked = queries.map((query) => client.query(query));
  stream.uncork?.();
  const settled = await Promise.allSettled(asked);
  const results = settled.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
  if (results.at(-1)?.command !== 'COMMIT') throw new StorageUnavailable('The transaction was rolled back');
  return results;
}

/** The SQLSTATE of an error that Postgres itself answered. */
function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return 'severity' in error ? error.code : undefined;
}

/** An answered error leaves the connection usable; anything else does not. FATAL ones close it from the other side. */
function isAnswer(error: unknown): boolean {
  return sqlState(error) !== undefined && error instanceof Error && 'severity' in error && error.severity === 'ERROR';
}

/** The pool handed out a connection that the server had closed: a reading statement may simply be asked again, as often as there are connections. */
function isLost(error: unknown): boolean {
  return sqlState(error) === '57P01' || (error instanceof Error && /^Connection terminated|ECONNRESET|EPIPE/.test(error.message));
}

function isConflict(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01';
}

/** Connection, resources, operator intervention (cancelled, shutting down), I/O; and conflicts that outlasted the tries. */
const UNAVAILABLE = /^(08|40|53|55|57|58)/;
/** Authorization, a database or schema that is not there, a right that is missing, a transaction that may only read: what the operator set up, or is just changing. */
const REFUSED = /^(28|3D|3F|42501|25006)/;

function translated(error: unknown): Error {
  if (error instanceof StorageUnavailable || error instanceof TypeError) return error;
  if (!(error instanceof Error)) return new Error('Unknown failure of the database', { cause: error });
  const state = sqlState(error);
  // What Postgres asks of whoever connects, the driver judges itself: a password that the URL lacks.
  if (state === undefined && error.message.startsWith('SASL:')) return new StorageRefused(error.message, { cause: new Error(error.message) });
  // Never `detail`: it repeats the values of the row.
  if (state === undefined || UNAVAILABLE.test(state))
    return new StorageUnavailable(error.message, { cause: new Error(`${state ?? 'connection'}: ${error.message}`) });
  if (REFUSED.test(state)) return new StorageRefused(error.message, { cause: new Error(`${state}: ${error.message}`) });
  if (state.startsWith('23')) return new ConstraintError(error.message, { cause: new Error(`${state}: ${error.message}`) });
  if (state === '42P01') return new SchemaMissing(error.message);
  return new Error(`${state}: ${error.message}`, { cause: error });
}
