/**
 * The database a command works on: found by the same settings as `start`, opened, looked at, and closed again whatever happens. Commands run where the server
 * runs; whoever can open its database is its operator.
 */
import {
  type AuthServer,
  type Config,
  type Context,
  checkProduction,
  databaseFile,
  loadConfig,
  nodeLog,
  openDatabase,
  openStorage,
  over,
  parseDatabaseUrl,
  ROOT_TENANT,
  refuseOtherSecret,
  refuseUnknownState,
  type Storage,
  type Store,
  serverFrom,
} from 'auth-agent-mcp-server/node';
import { type Call, textFlag } from './command.ts';
import { Failure } from './exit-codes.ts';
import { labelled, safe, styleOf } from './terminal.ts';

export type Opened = { storage: Storage; store: Store; config: Config; now: number };

/** The configuration of a call. */
export function readConfig({ flags: { config, ...flags }, terminal: { env } }: Call): Config {
  return loadConfig({ flags, env, file: typeof config === 'string' ? config : env.AUTH_AGENT_CONFIG });
}

/** The same; its warnings go to stderr. */
export function configOf(call: Call): Config {
  const config = readConfig(call);
  const style = styleOf(call.terminal.stderr, call.terminal.env);
  for (const warning of config.warnings) call.terminal.stderr.write(`${style.warn(warning)}\n`);
  return config;
}

/** Opens the database of a call. @throws {Failure} when there is none, when it lacks migrations, when the tenant is unknown; {StartRefused} where a start is. */
export async function withStore<Value>(call: Call, act: (opened: Opened) => Promise<Value>): Promise<Value> {
  const config = configOf(call);
  mustExist(config.databaseUrl);
  const storage = openStorage(await openDatabase(config.databaseUrl));
  try {
    const { tenant, settings } = await tenantOf(call, storage);
    return await act({ storage, store: storage.forTenant(tenant), config: { ...config, server: over(config.server, settings) }, now: seconds() });
  } finally {
    await storage.close();
  }
}

/** The same for commands that need the issuer or the secret, which must be the one of the database. */
export async function withServer<Value>(call: Call, act: (context: Context, server: AuthServer) => Promise<Value>): Promise<Value> {
  const config = configOf(call);
  checkProduction(config);
  mustExist(config.databaseUrl);
  const log = nodeLog({ output: call.terminal.stderr, level: 'warn', format: 'pretty' });
  const server = serverFrom(config, await openDatabase(config.databaseUrl), log);
  try {
    const { tenant } = await tenantOf(call, server.storage);
    await refuseOtherSecret((await server.context()) as Context);
    return await act((await server.context(tenant === ROOT_TENANT ? undefined : tenant)) as Context, server);
  } finally {
    await server.close();
  }
}

export const seconds = (): number => Math.floor(Date.now() / 1000);

/** @throws {Failure} notFound for a SQLite file that is not there. */
export function mustExist(url: string): void {
  if (parseDatabaseUrl(url).kind !== 'file' || databaseFile(url) !== undefined) return;
  throw new Failure('notFound', `There is no database at ${url}`, {
    why: 'Commands work on the database of the server, with the same settings as start.',
    fix: 'Run it where the server runs, or set AUTH_AGENT_DATABASE_URL. A new one: auth-agent db migrate\nDevelopment data: --database-url sqlite:.auth-agent/dev.db',
  });
}

type Chosen = { tenant: string; settings: Config['server'] };

async function tenantOf(call: Call, storage: Storage): Promise<Chosen> {
  await refuseUnknownState(storage);
  const pending = await storage.pendingMigrations();
  if (pending.length > 0)
    throw new Failure('failed', `The database lacks ${pending.join(', ')}`, { why: 'This version needs a newer schema.', fix: 'auth-agent db migrate' });
  const tenant = textFlag(call, 'tenant');
  if (tenant === undefined) return { tenant: ROOT_TENANT, settings: {} };
  const found = await storage.findTenant(tenant);
  if (!found) throw noTenant(tenant);
  return { tenant, settings: JSON.parse(found.settings ?? '{}') as Config['server'] };
}

export const noTenant = (tenant: string): Failure => new Failure('notFound', `There is no tenant ${safe(tenant)}`, { fix: 'auth-agent tenants list' });

/** `Next  auth-agent …`, as every screen ends; for the same tenant where the call was for one. */
export function next(command: string, call?: Call): string {
  const tenant = call && textFlag(call, 'tenant');
  return `\n${labelled('Next', tenant === undefined ? command : `${command} --tenant ${safe(tenant)}`)}`;
}
