/**
 * What a database must offer, and how SQL reaches it. A driver runs one reading statement, or one list of writing statements that commits as a whole;
 * there is no interactive transaction, so every verb of the store is atomic by construction and runs on D1 too (docs/architecture.md, decision 3).
 */

export type Value = string | number | null;
export type Row = Record<string, Value>;

/**
 * SQL in the subset SQLite and Postgres share, with `?1`, `?2` … for the values. `text` is a constant, so a driver may prepare and cache by it.
 * `riders` run at the end of the batch, in its commit: what belongs to this statement wherever it stands. Only {@link withRiders} knows them.
 */
export type Statement = { readonly text: string; readonly values: Value[]; readonly riders?: readonly Statement[] };

export type Result = { rows: Row[]; changes: number };

/** `unhurried`: an operator's act over whole tables may take as long as it takes. Never what a request does. */
export type Haste = { unhurried?: boolean };

export type Driver = {
  readonly name: 'sqlite' | 'postgres';
  /** Runs one statement that only reads. */
  read(statement: Statement): Promise<Row[]>;
  /**
   * Runs the statements in order and commits them as one; resolves only when the commit is durable. A failure leaves nothing behind and rejects with
   * {@link ConstraintError}, {@link StorageUnavailable} or {@link SchemaMissing} where it is one. No statement may take long, unless it is unhurried.
   */
  write(statements: Statement[], haste?: Haste): Promise<Result[]>;
  /** Runs a script of several statements as one transaction, exclusively among all nodes; for migrations only. */
  script(sql: string): Promise<void>;
  /** One look at the whole database that later writes do not change; for backups. Close it. @throws {TypeError} for a database in memory. */
  snapshot(): Promise<Snapshot>;
  close(): Promise<void>;
};

export type Table = { readonly name: string; readonly columns: readonly string[] };
export type Snapshot = {
  /** Every table of the schema, other applications' among them, by name. */
  tables(): Promise<Table[]>;
  /** Every row, its values in the order of the columns. */
  rows(table: Table): AsyncIterable<Value[]>;
  close(): Promise<void>;
};

/** Makes a driver that runs riders. Callers get the results of the statements they named. */
export function withRiders(driver: Driver): Driver {
  const together = async (statements: Statement[], haste?: Haste): Promise<Result[]> => {
    const riders = statements.flatMap((statement) => statement.riders ?? []);
    return (await driver.write([...statements, ...riders], haste)).slice(0, statements.length);
  };
  return { ...driver, write: (statements, haste) => (statements.some(({ riders }) => riders) ? together : driver.write)(statements, haste) };
}

/** A unique or foreign key said no. */
export class ConstraintError extends Error {
  override name = 'ConstraintError';
}

/** The database cannot be reached or is too busy; the request may be tried again. */
export class StorageUnavailable extends Error {
  override name = 'StorageUnavailable';
}

/** The database is there and does not let this server in, or do its work: a password, a name or a right is wrong. It may be right again when the request is tried again. */
export class StorageRefused extends StorageUnavailable {
  override name = 'StorageRefused';
}

/** A table is missing: this database was never migrated. */
export class SchemaMissing extends Error {
  override name = 'SchemaMissing';
}

/** Statements that lock rows for the rest of their batch, which they come first in. SQLite has one writer at a time, needs none, and does not know the words. */
export function locking({ name }: Driver, locks: readonly Statement[]): Statement[] {
  return name === 'sqlite' ? [] : [...locks];
}

/** A piece of SQL that several statements share, with the names of the parameters inside it. */
export type Part<Name extends string> = { readonly strings: readonly string[]; readonly holes: readonly (Name | Part<Name>)[] };

/** Makes a {@link Part}: `part<'now'>`g.expires_at > ${'now'}`` goes into a hole of {@link sql} or of another part. */
export function part<Name extends string = never>(strings: TemplateStringsArray, ...holes: (Name | Part<Name>)[]): Part<Name> {
  return { strings, holes };
}

/** A part without parameters from a constant text, such as a table's name. Never from input. */
export function literal(text: string): Part<never> {
  return { strings: [text], holes: [] };
}

/** Columns of the table known as `alias`, each called `alias_column`, so that joined rows keep them apart: `u.id as u_id, u.name as u_name`. */
export function aliased(alias: string, columns: readonly string[]): Part<never> {
  return literal(columns.map((column) => `${alias}.${column} as ${alias}_${column}`).join(', '));
}

/**
 * Compiles SQL once, at module load. `${'name'}` becomes a numbered parameter; the same name twice is the same parameter; a {@link Part} is spliced in.
 *
 *     const find = sql<{ id: string }>`select * from users where id = ${'id'}`;
 *     driver.read(find({ id: 'usr_1' }));
 */
export function sql<Parameters extends Record<string, Value>>(
  strings: TemplateStringsArray,
  ...holes: ((keyof Parameters & string) | Part<keyof Parameters & string>)[]
): (parameters: Parameters) => Statement {
  const order: (keyof Parameters & string)[] = [];
  const text = spliced({ strings, holes }, order);
  return (parameters) => ({ text, values: order.map((name) => parameters[name] as Value) });
}

function spliced<Name extends string>(piece: Part<Name>, order: Name[]): string {
  return piece.strings.reduce((built, following, index) => {
    const hole = piece.holes[index - 1] as Name | Part<Name>;
    return built + (typeof hole === 'string' ? numbered(hole, order) : spliced(hole, order)) + following;
  });
}

function numbered<Name extends string>(name: Name, order: Name[]): string {
  if (!order.includes(name)) order.push(name);
  return `?${order.indexOf(name) + 1}`;
}
