/**
 * What a database must offer, and how SQL reaches it. A driver runs one reading statement, or one list of writing statements that commits as a whole;
 * there is no interactive transaction, so every verb of the store is atomic by construction and runs on D1 too (docs/architecture.md, decision 3).
 */

export type Value = string | number | null;
export type Row = Record<string, Value>;

/** SQL in the subset SQLite and Postgres share, with `?1`, `?2` … for the values. `text` is a constant, so a driver may prepare and cache by it. */
export type Statement = { readonly text: string; readonly values: Value[] };

export type Result = { rows: Row[]; changes: number };

export type Driver = {
  readonly name: 'sqlite' | 'postgres';
  /** Runs one statement that only reads. */
  read(statement: Statement): Promise<Row[]>;
  /** Runs the statements in order and commits them as one; resolves only when the commit is durable. A failure leaves nothing behind and rejects with {@link ConstraintError} or {@link StorageUnavailable} where it is one. */
  write(statements: Statement[]): Promise<Result[]>;
  /** Runs a script of several statements as one transaction, exclusively among all nodes; for migrations only. */
  script(sql: string): Promise<void>;
  close(): Promise<void>;
};

/** A unique or foreign key said no. */
export class ConstraintError extends Error {
  override name = 'ConstraintError';
}

/** The database cannot be reached or is too busy; the request may be tried again. */
export class StorageUnavailable extends Error {
  override name = 'StorageUnavailable';
}

/**
 * Compiles SQL once, at module load. `${'name'}` becomes a numbered parameter; the same name twice is the same parameter.
 *
 *     const find = sql<{ id: string }>`select * from users where id = ${'id'}`;
 *     driver.read(find({ id: 'usr_1' }));
 */
export function sql<Parameters extends Record<string, Value>>(strings: TemplateStringsArray, ...names: (keyof Parameters & string)[]): (parameters: Parameters) => Statement {
  const order: (keyof Parameters & string)[] = [...new Set(names)];
  const text = strings.reduce((built, part, index) => `${built}?${order.indexOf(names[index - 1] as keyof Parameters & string) + 1}${part}`);
  return (parameters) => ({ text, values: order.map((name) => parameters[name] as Value) });
}
