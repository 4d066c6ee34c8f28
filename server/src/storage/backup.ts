/**
 * The whole database as lines of JSON, and back: a head, then each table with its rows, then how many rows there were. The same for both databases, so a backup
 * of SQLite restores into Postgres and the other way round. Sealed columns stay as they are sealed. Not here: files, compression, encryption (runtimes/backup-file.ts).
 */
import type { Driver, Statement, Value } from './driver.ts';
import { migrationRunner, migrations, tablesOf } from './migrations/index.ts';
import { type Ended, endRevivable } from './tables/restored.ts';

/** `made_at` in seconds; `migrations` that the rows have the form of. */
export type BackupHead = { format: 'auth-agent-backup'; v: 1; made_at: number; engine: string; migrations: string[] };
export type BackupSummary = { head: BackupHead; rows: Record<string, number> /** Unless access was kept. */; ended?: Ended };
/** `keepAccess`: nothing happened since the backup, because no server ran; otherwise what it must not bring back ends (tables/restored.ts). */
export type Restoring = { now: number; tell?: Progress; keepAccess: boolean };
/** Told now and then how many rows are done. */
export type Progress = (rows: number) => void;

/** The lines are no backup of ours, or damaged; `fix` where another backup is not what helps. */
export class BadBackup extends Error {
  override name = 'BadBackup';
  readonly fix?: string;

  constructor(message: string, { fix, cause }: { fix?: string; cause?: unknown } = {}) {
    super(message, { cause });
    this.fix = fix;
  }
}

/** The database to restore into holds something. */
export class NotEmpty extends Error {
  override name = 'NotEmpty';
}

/** Somebody else is connected to it. */
export class InUse extends Error {
  override name = 'InUse';
}

/** The fact that stands in a database while rows are being filled in: a server does not start on half a backup. */
export const restoringFact = 'restoring';

const ROWS_PER_WRITE = 200;
const newerFix = 'Use the newer version';
const ROWS_PER_TELLING = 1000;

/** The lines of a backup, as the database is at this moment whatever is written meanwhile. */
export async function* backupLines(driver: Driver, now: number, tell: Progress = () => {}): AsyncGenerator<string> {
  const runner = migrationRunner(driver);
  const missing = [...(await runner.pendingMigrations()), ...(await runner.unknownMigrations())];
  if (missing.length > 0) throw new Error(`The schema is not that of this version: ${missing.join(', ')}`);
  const snapshot = await driver.snapshot();
  try {
    yield line({ format: 'auth-agent-backup', v: 1, made_at: now, engine: driver.name, migrations: migrations.map(({ name }) => name) } satisfies BackupHead);
    const wanted = new Set([...tablesOf(), 'facts']);
    const counts: Record<string, number> = {};
    let done = 0;
    for (const table of (await snapshot.tables()).filter(({ name }) => wanted.has(name))) {
      yield line({ table: table.name, columns: table.columns });
      let count = 0;
      for await (const row of snapshot.rows(table)) {
        yield line(row);
        count += 1;
        if (++done % ROWS_PER_TELLING === 0) tell(done);
      }
      counts[table.name] = count;
    }
    tell(done);
    yield line({ rows: counts });
  } finally {
    await snapshot.close();
  }
}

/**
 * Fills an empty database with a backup and brings it up to date. What a broken restore leaves is marked, and refused by the server and by the next restore.
 *
 * @throws {NotEmpty} and changes nothing.
 * @throws {BadBackup} for lines that are not ours, are damaged, end early, or are of a newer version.
 */
export async function restoreLines(driver: Driver, lines: AsyncIterable<string>, { now, tell = () => {}, keepAccess }: Restoring): Promise<BackupSummary> {
  const reader = lines[Symbol.asyncIterator]();
  const head = headOf(parsed((await reader.next()).value));
  await refuseFilled(driver);
  const known = migrations.filter(({ name }) => head.migrations.includes(name));
  await migrationRunner(driver, known).migrate(now);
  await driver.write([fact('insert', restoringFact)]);

  const counted = await fill(driver, { [Symbol.asyncIterator]: () => reader }, { known: new Set([...tablesOf(known), 'facts']), tell });
  await migrationRunner(driver).migrate(now);
  const ended = keepAccess ? undefined : await endRevivable(driver, { now, madeAt: head.made_at });
  await driver.write([fact('delete', restoringFact)]);
  return { head, rows: counted, ...(ended && { ended }) };
}

/**
 * Nodes that are still running would find the tables as they come back, and serve what the restore has yet to end. On Postgres each node is seen by its connections; a file of SQLite that
 * is not there yet has no nodes. Ask on a driver that nobody has used: its own further connections would count.
 *
 * @throws {InUse}
 */
export async function refuseServed(driver: Driver): Promise<void> {
  if (driver.name !== 'postgres') return;
  const text = `select count(*) as others from pg_stat_activity
    where datname = current_database() and application_name = 'auth-agent' and pid <> pg_backend_pid()`;
  const [row] = await driver.read({ text, values: [] });
  if (Number(row?.others) > 0) throw new InUse(`Nodes of this server are connected to the database (${row?.others} connections)`);
}

type Filling = { known: ReadonlySet<string>; tell: Progress };

async function fill(driver: Driver, lines: AsyncIterable<string>, { known, tell }: Filling): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  let table: { name: string; insert: (row: Value[]) => Statement } | undefined;
  let waiting: Statement[] = [];
  let done = 0;
  let promised: Record<string, number> | undefined;
  const flush = async () => {
    if (waiting.length > 0) await driver.write(waiting);
    waiting = [];
  };
  for await (const text of lines) {
    const value = parsed(text);
    if (promised !== undefined) throw new BadBackup('Something follows its end');
    if (Array.isArray(value) && table !== undefined) {
      waiting.push(table.insert(value as Value[]));
      counts[table.name] = (counts[table.name] ?? 0) + 1;
      if (waiting.length >= ROWS_PER_WRITE) await flush();
      if (++done % ROWS_PER_TELLING === 0) tell(done);
    } else if (isTable(value) && known.has(value.table)) {
      table = { name: value.table, insert: inserter(value.table, value.columns) };
      counts[value.table] = 0;
    } else if (isEnd(value)) promised = value.rows;
    else throw new BadBackup('A line is not of this format');
  }
  await flush();
  tell(done);
  if (promised === undefined) throw new BadBackup('It ends early');
  const short = Object.keys({ ...promised, ...counts }).filter((name) => promised[name] !== counts[name]);
  if (short.length > 0) throw new BadBackup(`Rows are missing in ${short.join(', ')}`);
  return counts;
}

/** Columns come from a file: only plain names reach the SQL, and the values are parameters. */
function inserter(name: string, columns: readonly string[]): (row: Value[]) => Statement {
  if (columns.length === 0 || columns.some((column) => !/^[a-z_][a-z0-9_]*$/.test(column))) throw new BadBackup(`The columns of ${name} have no names`);
  const text = `insert into ${name} (${columns.join(', ')}) values (${columns.map((_, index) => `?${index + 1}`).join(', ')})`;
  return (row) => {
    if (row.length !== columns.length || !row.every(isValue)) throw new BadBackup(`A row of ${name} has another form than its table`);
    return { text, values: row };
  };
}

async function refuseFilled(driver: Driver): Promise<void> {
  const applied = await migrationRunner(driver, []).unknownMigrations();
  if (applied.length > 0) throw new NotEmpty('The database to restore into has tables of this server in it');
}

function headOf(value: unknown): BackupHead {
  const head = value as Partial<BackupHead> | null;
  if (typeof head !== 'object' || head?.format !== 'auth-agent-backup') throw new BadBackup('This is no backup of this server');
  if (head.v !== 1 || !Array.isArray(head.migrations)) throw new BadBackup('The backup is of a newer version', { fix: newerFix });
  const names = migrations.map(({ name }) => name);
  const newer = head.migrations.filter((name) => !names.includes(name));
  if (newer.length > 0) throw new BadBackup(`The backup is of a newer version: it has ${newer.join(', ')}`, { fix: newerFix });
  return head as BackupHead;
}

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    throw new BadBackup('A line cannot be read');
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isTable = (value: unknown): value is { table: string; columns: string[] } =>
  isObject(value) && typeof value.table === 'string' && Array.isArray(value.columns) && value.columns.every((column) => typeof column === 'string');
const isEnd = (value: unknown): value is { rows: Record<string, number> } => isObject(value) && isObject(value.rows);
const isValue = (value: unknown): value is Value => value === null || typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value));

function fact(act: 'insert' | 'delete', name: string): Statement {
  const text = act === 'insert' ? "insert into facts (name, value) values (?1, 'yes')" : 'delete from facts where name = ?1';
  return { text, values: [name] };
}
