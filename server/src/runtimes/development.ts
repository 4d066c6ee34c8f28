/**
 * Development mode on Node: loopback sockets, a database of its own, a secret made for this machine. What development mode allows is in demo/; this file only
 * gives it a place to run. The command line, the examples and the tests start it here.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AuthServer } from '../app.ts';
import type { Log } from '../context.ts';
import { SealBroken } from '../crypto/instance-keys.ts';
import { randomId } from '../crypto/random.ts';
import { createDevelopment, NotADemoDatabase } from '../demo/demo.ts';
import { isLoopbackHost } from '../options.ts';
import { openNodeSqlite } from '../storage/drivers/node-sqlite.ts';
import { pinnedFetcher, pinnedUpstreamFetch } from './pinned-fetch.ts';
import { type RunningServer, startNode } from './serve.ts';
import { StartRefused } from './start-refused.ts';

export type DevelopmentSettings = {
  /** 9000 */
  port?: number;
  /** `localhost`, `127.0.0.1` or `::1`. */
  host?: string;
  /** Keep everything in memory. */
  ephemeral?: boolean;
  seed?: 'demo' | 'none';
  /** `.auth-agent/dev.db` */
  dataFile?: string;
  log: Log;
};
export type RunningDevelopment = RunningServer & { server: AuthServer; issuer: string; dataFile?: string };

/**
 * Starts development mode; resolves when it answers.
 *
 * @throws {StartRefused} for a host that is not loopback, a database with real people, a secret that does not fit the database.
 */
export async function startDevelopment(settings: DevelopmentSettings): Promise<RunningDevelopment> {
  const { port = 9000, host = 'localhost', ephemeral = false, seed = 'demo', dataFile = join('.auth-agent', 'dev.db'), log } = settings;
  if (!isLoopbackHost(host) && host !== '::1') throw notLoopback(host);
  // The issuer has the port in it, so a free one is found first.
  let fetch: AuthServer['fetch'] = async () => new Response(null, { status: 503 });
  let server: AuthServer | undefined;
  const running = await startNode({
    port,
    host,
    log,
    fetch: (request, connection) => fetch(request, connection),
    flush: async () => server?.flush(),
    maintain: async () => server?.maintain(),
    settle: async () => server?.settle(),
    close: async () => server?.close(),
  });
  try {
    const issuer = `http://localhost:${running.port}`;
    const secret = ephemeral ? randomId('', 48) : machineSecret(dataFile);
    const driver = openNodeSqlite(ephemeral ? ':memory:' : dataFile);
    const fetchers = {
      fetchDocument: pinnedFetcher(),
      fetchLoopbackDocument: pinnedFetcher({ dangerouslyAllowLoopback: true }),
      fetchUpstream: pinnedUpstreamFetch(),
    };
    const development = await createDevelopment({ issuer, driver, secret, seed, log, ...fetchers });
    server = development.server;
    await (await server.context())?.signing.current();
    fetch = development.fetch;
    return { ...running, server, issuer, dataFile: ephemeral ? undefined : dataFile };
  } catch (error) {
    await running.stop();
    throw refusal(error, dataFile);
  }
}

/** The secret of this machine, beside the database and like it readable by its owner only. */
function machineSecret(dataFile: string): string {
  const folder = dirname(dataFile);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const ignore = join(folder, '.gitignore');
  if (folder.endsWith('.auth-agent') && !existsSync(ignore)) writeFileSync(ignore, '*\n');
  const path = `${dataFile}.secret`;
  if (!existsSync(path)) writeFileSync(path, randomId('', 48), { mode: 0o600, flag: 'wx' });
  chmodSync(path, 0o600);
  return readFileSync(path, 'utf8').trim();
}

function notLoopback(host: string): StartRefused {
  return new StartRefused(`Development mode cannot listen on ${host}`, {
    kind: 'usage',
    why: 'It accepts testuser/testpass and unauthenticated POST /api/servers.',
    fix: 'Other device on your network?  auth-agent start, with an https issuer\nPhone on the same desk?        adb reverse tcp:9000 tcp:9000   (or ssh -L)',
  });
}

function refusal(error: unknown, dataFile: string): unknown {
  if (error instanceof NotADemoDatabase) {
    return new StartRefused(`${dataFile} holds real people`, {
      why: 'Development mode adds accounts that everybody knows; it never touches real data.',
      fix: 'Leave it to auth-agent start, or name another file: --data-file',
      cause: error,
    });
  }
  if (error instanceof SealBroken) {
    return new StartRefused(`${dataFile} and ${dataFile}.secret do not fit each other`, {
      why: 'The keys in the database were encrypted under another secret.',
      fix: `Development data can be deleted any time: rm ${dataFile}*`,
      cause: error,
    });
  }
  return error;
}
