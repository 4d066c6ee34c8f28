/**
 * The server inside workerd, for tests only: a header says which database, which time, which options. Nothing of it is in the bundle that people deploy.
 */
import type { AuthServer } from '../../src/app.ts';
import type { ServerOptions } from '../../src/options.ts';
import { createServer } from '../../src/server.ts';
import type { Driver } from '../../src/storage/driver.ts';
import { type D1Database, openD1 } from '../../src/storage/drivers/d1.ts';
import { openPostgres } from '../../src/storage/drivers/postgres.ts';

/** What the harness sends along with each request. `database` is the name of a D1 binding or the address of a Postgres schema. */
export type Told = { database: string; now: number; address: string; options: Pick<ServerOptions, 'issuer' | 'secret'> & Record<string, unknown> };
type Made = { server: AuthServer; told: Told; logged: string[]; driver?: Driver };

const made = new Map<string, Made>();

export default {
  async fetch(request: Request, env: Record<string, D1Database>, context: { waitUntil(work: Promise<unknown>): void }): Promise<Response> {
    const told = JSON.parse(decodeURIComponent(request.headers.get('x-test') ?? '')) as Told;
    const one = made.get(told.database) ?? make(told, env);
    one.told = told;
    made.set(told.database, one);
    // A socket lives as long as the request that opened it.
    const connection = told.database in env ? undefined : openPostgres(told.database, { max: 3 });
    one.driver = connection;
    const headers = new Headers(request.headers);
    headers.delete('x-test');
    const answer = await one.server.fetch(new Request(request, { headers }), { address: told.address });
    const answered = new Response(answer.body, answer);
    answered.headers.set('x-test-log', encodeURIComponent(JSON.stringify(one.logged.splice(0))));
    if (connection) context.waitUntil(connection.close());
    return answered;
  },
};

function make(told: Told, env: Record<string, D1Database>): Made {
  const logged: string[] = [];
  const write = (level: string) => (event: string, fields?: unknown, cause?: unknown) =>
    void logged.push(`${level} ${event} ${JSON.stringify(fields ?? {})}${cause === undefined ? '' : ` ${String(cause)}`}`);
  const database = env[told.database];
  const one: Made = { server: undefined as unknown as AuthServer, told, logged };
  const ofRequest = (): Driver => one.driver as Driver;
  const postgres: Driver = {
    name: 'postgres',
    read: (statement) => ofRequest().read(statement),
    write: (statements) => ofRequest().write(statements),
    script: (sql) => ofRequest().script(sql),
    snapshot: () => ofRequest().snapshot(),
    close: () => Promise.resolve(),
  };
  one.server = createServer({
    ...told.options,
    driver: database ? openD1(database) : postgres,
    now: () => one.told.now,
    log: { info: write('info'), warn: write('warn'), error: write('error') },
  });
  return one;
}
