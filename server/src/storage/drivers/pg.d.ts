/** The part of `pg` 8.23 that postgres.ts uses; the package ships no types of its own. */
declare module 'pg' {
  export type QueryConfig = { text: string; values?: (string | number | null)[]; name?: string; query_timeout?: number };
  export type QueryArrayConfig = QueryConfig & { rowMode: 'array' };
  export type QueryResult = { rows: Record<string, string | number | null>[]; rowCount: number | null; command: string };
  export type PoolClient = {
    query(config: QueryArrayConfig): Promise<{ rows: (string | number | null)[][] }>;
    query(config: QueryConfig): Promise<QueryResult>;
    on(event: 'error', listener: (error: Error) => void): void;
    release(destroy?: boolean): void;
    readonly connection: { readonly stream: { cork?(): void; uncork?(): void } };
  };
  export type PoolConfig = {
    connectionString: string;
    max: number;
    pipeline: boolean;
    keepAlive: boolean;
    application_name: string;
    connectionTimeoutMillis: number;
    idleTimeoutMillis: number;
    statement_timeout: number;
    idle_in_transaction_session_timeout: number;
    query_timeout: number;
    types: { getTypeParser(oid: number, format?: string): (value: string) => unknown };
  };
  class Pool {
    constructor(config: PoolConfig);
    connect(): Promise<PoolClient>;
    query(config: QueryConfig): Promise<QueryResult>;
    on(event: 'error', listener: (error: Error) => void): void;
    on(event: 'connect', listener: (client: PoolClient) => void): void;
    end(): Promise<void>;
  }
  class Client {
    constructor(config: { connectionString: string });
    readonly host: string;
    readonly ssl: boolean | object;
  }
  const pg: { Client: typeof Client; Pool: typeof Pool; escapeIdentifier(name: string): string };
  export default pg;
}
