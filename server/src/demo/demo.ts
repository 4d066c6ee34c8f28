/**
 * Development mode, all of it (contracts §3): a server on this computer with demo data, so that every snippet of the documentation runs as printed. Nothing
 * outside this room knows it exists. Owns: the demo database and its mark, the demo issuer, the conveniences. Not here: sockets (runtimes/), the command (cli/).
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { AuthServer, Connection } from '../app.ts';
import type { Context, Log } from '../context.ts';
import type { DocumentFetcher, UpstreamFetch } from '../options.ts';
import { createServer } from '../server.ts';
import type { Driver } from '../storage/driver.ts';
import { developmentNotice, withConveniences } from './conveniences.ts';
import { demoUser, seed } from './data.ts';
import { isLocal } from './local.ts';
import { mailbox } from './mailbox.ts';

export type Development = { server: AuthServer; fetch: AuthServer['fetch'] };

export type DevelopmentOptions = {
  /** `http://localhost:<port>` */
  issuer: string;
  driver: Driver;
  /** Made for this machine; see {@link DevelopmentOptions.driver} for where it is kept. */
  secret: string;
  seed: 'demo' | 'none';
  log: Log;
  now?: () => number;
  /** Reads metadata documents on public addresses, and one that may also read them from a loopback https host. */
  fetchDocument: DocumentFetcher;
  fetchLoopbackDocument: DocumentFetcher;
  fetchUpstream?: UpstreamFetch;
};

/** A database that holds real data is never made a demo. */
export class NotADemoDatabase extends Error {
  override name = 'NotADemoDatabase';
}

/**
 * Makes the development server.
 *
 * @throws {NotADemoDatabase} when the database has people in it and was not made by development mode.
 */
export async function createDevelopment(options: DevelopmentOptions): Promise<Development> {
  const { issuer, driver, secret, log, now } = options;
  const local = new AsyncLocalStorage<boolean>();
  const { sendMail, mails } = mailbox({ issuer, log, now: now ?? seconds });
  const server = createServer({
    issuer,
    driver,
    secret,
    log,
    now,
    notice: developmentNotice,
    signInHint: options.seed === 'demo' ? `Try ${demoUser.username} / ${demoUser.password}` : undefined,
    fetchUpstream: options.fetchUpstream,
    sendMail,
    fetchDocument: (url) => (local.getStore() ? options.fetchLoopbackDocument(url) : options.fetchDocument(url)),
  });
  await server.storage.migrate(server.options.now());
  const context = (await server.context()) as Context;
  await mark(server, context);
  if (options.seed === 'demo') await seed(context);
  const fetch = withConveniences(server, mails);
  // What fails in front of the server is not the server's to catch.
  const failed = (error: unknown) => {
    log.error('development.failed', {}, error);
    return Response.json({ error: 'server_error', error_description: 'Something broke in development mode; the terminal says what' }, { status: 500 });
  };
  return {
    server,
    fetch: (request: Request, connection: Connection) => local.run(isLocal(request, connection.address), () => fetch(request, connection).catch(failed)),
  };
}

const seconds = (): number => Math.floor(Date.now() / 1000);

async function mark(server: AuthServer, context: Context): Promise<void> {
  if ((await server.storage.fact('demo')) === 'yes') return;
  if ((await context.store.listUsers()).length > 0) throw new NotADemoDatabase('This database has real people in it: development mode will not touch it');
  await server.storage.setFact('demo', 'yes');
}
