/**
 * Cloudflare Workers: one server per isolate, made from the bindings at the first request. D1 as `DB`, or Postgres through Hyperdrive as `HYPERDRIVE`; the settings
 * are the same variables as everywhere, `AUTH_AGENT_SECRET` as a secret. A cron trigger each minute keeps house. No SMTP here, and no address of a name to pin.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { AuthServer } from '../app.ts';
import type { Log } from '../context.ts';
import type { ServerOptions } from '../options.ts';
import { createServer } from '../server.ts';
import type { Driver } from '../storage/driver.ts';
import { type D1Database, openD1 } from '../storage/drivers/d1.ts';
import { type Config, loadConfig } from './config.ts';
import { nodeLog } from './log.ts';
import { checkProduction } from './production-config.ts';
import { publicFetcher, publicPoster } from './public-fetch.ts';

export type WorkerBindings = { DB?: D1Database; HYPERDRIVE?: { connectionString: string } } & Record<string, unknown>;
export type WorkerContext = { waitUntil(work: Promise<unknown>): void };

/**
 * Makes the handlers of a Worker. `overrides` win over the variables.
 *
 *     export default createWorker();
 */
export function createWorker(overrides: Partial<ServerOptions> = {}) {
  const connections = new AsyncLocalStorage<Driver>();
  let server: AuthServer | undefined;
  let flushed = 0;

  const made = (bindings: WorkerBindings): AuthServer => {
    server ??= serverOf(bindings, connections, overrides);
    return server;
  };
  /** A socket belongs to the request that opened it, so each has a connection of its own; Hyperdrive keeps the real ones. */
  const connected = async <Value>({ HYPERDRIVE, DB }: WorkerBindings, context: WorkerContext, act: () => Promise<Value>): Promise<Value> => {
    if (DB || !HYPERDRIVE) return act();
    const { openPostgres } = await import('../storage/drivers/postgres.ts');
    const driver = openPostgres(HYPERDRIVE.connectionString, { max: 5 });
    return connections.run(driver, act).finally(() => context.waitUntil(driver.close()));
  };

  return {
    fetch: (request: Request, bindings: WorkerBindings, context: WorkerContext): Promise<Response> =>
      connected(bindings, context, async () => {
        const current = made(bindings);
        const answer = await current.fetch(request, { address: request.headers.get('cf-connecting-ip') ?? '0.0.0.0' });
        // Last-use times gather in the isolate; a request now and then carries them to the database.
        if (Date.now() - flushed >= 1000) {
          flushed = Date.now();
          await current.flush();
        }
        return answer;
      }),
    scheduled: (_event: unknown, bindings: WorkerBindings, context: WorkerContext): Promise<void> =>
      connected(bindings, context, () => made(bindings).maintain()),
  };
}

function serverOf(bindings: WorkerBindings, connections: AsyncLocalStorage<Driver>, overrides: Partial<ServerOptions>): AuthServer {
  const env = Object.fromEntries(Object.entries(bindings).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  const config = loadConfig({ env, file: undefined });
  checkProduction(config);
  const log = nodeLog({ output: { write: (line) => console.log(line.trimEnd()) }, format: 'json', level: config.logLevel });
  warnAbout(config, log);
  return createServer({
    ...config.server,
    issuer: config.issuer,
    secret: config.secret,
    driver: bindings.DB ? openD1(bindings.DB) : driverOfRequest(connections),
    log,
    fetchDocument: publicFetcher(),
    postForm: publicPoster(),
    ...overrides,
  });
}

/** An isolate has no port of its own, and nothing that outlives a request: metrics and traces are the platform's here. */
function warnAbout({ metrics, tracing }: Config, log: Log): void {
  const instead = 'Workers has its own: Workers Observability in the dashboard, or [observability] in wrangler.toml';
  if (metrics) log.warn('start.no_metrics_here', { means: 'AUTH_AGENT_METRICS_PORT is not used', instead });
  if (tracing) log.warn('start.no_traces_here', { means: 'OTEL_EXPORTER_OTLP_ENDPOINT is not used', instead });
}

function driverOfRequest(connections: AsyncLocalStorage<Driver>): Driver {
  const current = (): Driver => {
    const driver = connections.getStore();
    if (!driver) throw new TypeError('bind a D1 database as DB or a Hyperdrive as HYPERDRIVE');
    return driver;
  };
  return {
    name: 'postgres',
    read: (statement) => current().read(statement),
    write: (statements) => current().write(statements),
    script: (sql) => current().script(sql),
    snapshot: () => current().snapshot(),
    close: () => Promise.resolve(),
  };
}
