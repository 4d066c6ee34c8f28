/**
 * The production start (contracts §4): everything it refuses, with what, why and the exact fix, and then the server on its sockets. Development mode is
 * development.ts. What only the process knows (signals, exit codes, texts on a terminal) is the command line's.
 */
import type { AuthServer } from '../app.ts';
import type { Context, Log } from '../context.ts';
import { SealBroken } from '../crypto/instance-keys.ts';
import { openKey } from '../crypto/signing-keys.ts';
import type { ServerOptions } from '../options.ts';
import { createServer } from '../server.ts';
import type { Driver } from '../storage/driver.ts';
import { openStorage } from '../storage/open.ts';
import type { Storage } from '../storage/store.ts';
import { noticeIssuer } from './another-issuer.ts';
import { proxyList } from './client-address.ts';
import type { Config } from './config.ts';
import { backUp, databaseFile, isSpokenInClear, openDatabase } from './database.ts';
import { pinnedFetcher, pinnedPoster, pinnedUpstreamFetch } from './pinned-fetch.ts';
import { type CheckedConfig, checkProduction } from './production-config.ts';
import { type RunningServer, startNode } from './serve.ts';
import { smtpSender } from './smtp.ts';
import { StartRefused } from './start-refused.ts';
import { openTelemetry, type Telemetry } from './telemetry/telemetry.ts';
import { type Watcher, watchedCalls, watchedDriver } from './telemetry/watch.ts';
import { refuseDemoDatabase, refuseDemoSecrets, refuseUnknownState } from './unfit-database.ts';

export type Production = RunningServer & {
  server: AuthServer;
  context: Context;
  /** Where Prometheus reads. */
  metricsUrl?: string;
};

/** Starts a server as configured. @throws {StartRefused} with nothing listening and the database closed. */
export async function startProduction(config: Config, log: Log): Promise<Production> {
  checkProduction(config);
  refuseBadAddresses(config);
  const database = databaseFile(config.databaseUrl);
  const driver = await openDatabase(config.databaseUrl);
  let telemetry: Telemetry | undefined;
  try {
    const storage = openStorage(driver);
    await refuseDemoDatabase(storage, config.databaseUrl);
    await bringUpToDate(storage, driver, { database, log });
    telemetry = await openTelemetry(config, driver.name, log);
    const { watcher, metricsUrl } = telemetry;
    const server = serverFrom(config, driver, log, watcher);
    const context = (await server.context()) as Context;
    await refuseDemoSecrets(context);
    await openKeys(context);
    await refuseNoWayIn(context);
    await noticeIssuer(storage, config.issuer, log);
    await warnAbout(config, log);
    const close = () => server.close().finally(telemetry?.close);
    const maintain = watcher ? () => watcher.maintenance(server.maintain) : server.maintain;
    const running = await startNode({ ...server, ...config, log, maintain, close });
    return { ...running, server, context, metricsUrl };
  } catch (error) {
    await telemetry?.close();
    await driver.close();
    throw error;
  }
}

/** Both are made again where they are used; here they are only read, while nothing is open yet. @throws {StartRefused} */
export function refuseBadAddresses({ trustedProxies, smtp }: Config): void {
  readSetting(() => [proxyList(trustedProxies), smtp && smtpSender(smtp)]);
}

/** The server of a configuration, without sockets: what commands work with, and with a watcher what is measured. @throws {StartRefused} naming the setting that is out of range. */
export function serverFrom(config: CheckedConfig, driver: Driver, log: Log, watcher?: Watcher): AuthServer {
  return readSetting(() => {
    const calls = {
      fetchDocument: pinnedFetcher(),
      postForm: pinnedPoster(),
      fetchUpstream: pinnedUpstreamFetch(),
      sendMail: config.smtp && smtpSender(config.smtp),
    };
    const options: ServerOptions = {
      ...config.server,
      issuer: config.issuer,
      secret: config.secret,
      driver: watcher ? watchedDriver(driver, watcher) : driver,
      log,
      ...(watcher ? watchedCalls(calls, watcher) : calls),
      observe: watcher?.request,
    };
    return createServer(options);
  });
}

/** @throws {StartRefused} for the TypeError of a setting that cannot be used; it names the setting. */
function readSetting<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new StartRefused(`A setting cannot be used: ${cause.message}`, {
      kind: 'usage',
      why: 'Settings are checked before anything starts.',
      fix: 'Correct it where it was set',
      cause,
    });
  }
}

/** What works but is probably not what was meant. */
async function warnAbout({ databaseUrl, issuer, host, trustedProxies }: CheckedConfig, log: Log): Promise<void> {
  if (await isSpokenInClear(databaseUrl)) {
    log.warn('start.database_in_clear', {
      means:
        'whoever is between reads and changes what this server keeps; sslmode=verify-full in the database URL encrypts it, sslmode=disable says that this network is private',
    });
  }
  if (databaseUrl === 'sqlite::memory:') log.warn('start.database_in_memory', { means: 'everything is lost when this process ends' });
  if (issuer.startsWith('https:') && trustedProxies.length === 0) {
    log.warn('start.no_trusted_proxies', {
      host,
      means: 'a proxy must speak TLS in front of this server; until trustedProxies names it, all callers count as one address',
    });
  }
}

/** Passkeys are added by people who are signed in: without passwords and codes by mail, only an upstream lets anybody in at first. */
export async function refuseNoWayIn({ options: { signIn }, store }: Context): Promise<void> {
  if (signIn.password || signIn.emailCode || (await store.listUpstreams()).length > 0) return;
  throw new StartRefused('Nobody could sign in: passwords and codes by mail are off, and no upstream is listed', {
    kind: 'usage',
    why: 'A passkey is added by somebody who is signed in already.',
    fix: 'List an upstream first (auth-agent upstreams add), or AUTH_AGENT_EMAIL_CODE=true with mail, or AUTH_AGENT_PASSWORD=true',
  });
}

/** SQLite migrates itself, with a copy first; a cluster is migrated by its operator, once. */
async function bringUpToDate(storage: Storage, driver: Driver, { database, log }: { database?: string; log: Log }): Promise<void> {
  await refuseUnknownState(storage);
  const pending = await storage.pendingMigrations();
  if (pending.length === 0) return;
  if (driver.name === 'postgres') {
    throw new StartRefused(`The database lacks ${pending.length === 1 ? 'a migration' : `${pending.length} migrations`}: ${pending.join(', ')}`, {
      why: 'Nodes of a cluster do not change the schema on their own; one command does it once for all.',
      fix: 'auth-agent db migrate',
    });
  }
  const now = Math.floor(Date.now() / 1000);
  const copy = database === undefined ? undefined : await backUp(database, now);
  await storage.migrate(now);
  log.info('database.migrated', { migrations: pending.join(', '), copy });
}

/** A wrong secret is found at the start, not by the first person who signs in. */
async function openKeys({ signing }: Context): Promise<void> {
  await underThisSecret(async () => signing.current());
}

/** The same for commands, which make no keys: under another secret they would write what no node could use. @throws {StartRefused} */
export async function refuseOtherSecret({ store, instance, now }: Context): Promise<void> {
  const [row] = await store.listSigningKeys(now());
  if (row) await underThisSecret(async () => openKey(row, instance));
}

async function underThisSecret(open: () => Promise<unknown>): Promise<void> {
  try {
    await open();
  } catch (cause) {
    if (!(cause instanceof SealBroken)) throw cause;
    throw new StartRefused('The secret does not open the signing keys of this database', {
      why: 'They were encrypted under another AUTH_AGENT_SECRET.',
      fix: 'Set the secret this database was first started with',
      cause,
    });
  }
}
