/**
 * Cloudflare Workers: one server per isolate, made from the bindings at the first request. D1 as `DB`, or Postgres through Hyperdrive as `HYPERDRIVE`; languages and
 * the filter of passwords as `ASSETS`; the settings are the same variables as everywhere, `AUTH_AGENT_SECRET` as a secret. A cron trigger each minute keeps house.
 * Mail goes through an e-mail binding as `EMAIL`; there is no SMTP here, and no address of a name to pin.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout } from 'node:timers/promises';
import type { AuthServer } from '../app.ts';
import { type AssetsBinding, bindAssets, readTranslations } from '../bound-assets.ts';
import type { Log } from '../context.ts';
import type { MailSender, ServerOptions } from '../options.ts';
import { createServer } from '../server.ts';
import { type Driver, StorageUnavailable } from '../storage/driver.ts';
import { type D1Database, openD1 } from '../storage/drivers/d1.ts';
import type { openPostgres } from '../storage/drivers/postgres.ts';
import { noticeIssuer } from './another-issuer.ts';
import { type Config, loadConfig } from './config.ts';
import { type EmailBinding, emailBindingSender } from './email-binding.ts';
import { nodeLog } from './log.ts';
import { checkProduction } from './production-config.ts';
import { publicFetcher, publicPoster, publicUpstreamFetch } from './public-fetch.ts';
import { StartRefused } from './start-refused.ts';
import { refuseDemoDatabase, refuseDemoSecrets, refuseUnknownState } from './unfit-database.ts';

export { openPostgres } from '../storage/drivers/postgres.ts';

export type WorkerBindings = { DB?: D1Database; HYPERDRIVE?: { connectionString: string }; EMAIL?: EmailBinding; ASSETS?: AssetsBinding } & Record<
  string,
  unknown
>;
/** `openPostgres` is handed over by who binds a Hyperdrive: others do not carry it. `gatherMs`: so long last-use times may gather in an isolate. */
export type WorkerParts = { openPostgres?: typeof openPostgres; gatherMs?: number };
export type WorkerContext = { waitUntil(work: Promise<unknown>): void };

/** What one request or one turn of the clock has of its own: a socket belongs to the request that opened it. */
type Turn = { driver?: Driver; work: Promise<unknown>[] };

/** After words could not be read, English is good enough for so long. */
const wordsAgainMs = 10_000;

/**
 * Makes the handlers of a Worker. `overrides` win over the variables.
 *
 *     export default createWorker();
 *     export default createWorker({}, { openPostgres }); // with a Hyperdrive
 */
export function createWorker(overrides: Partial<ServerOptions> = {}, parts: WorkerParts = {}) {
  const { gatherMs = 1000 } = parts;
  const turns = new AsyncLocalStorage<Turn>();
  let server: AuthServer | undefined;
  let flushDue = 0;
  let wordsDue = 0;
  let fit = false;

  const made = (bindings: WorkerBindings): AuthServer => {
    server ??= serverOf(bindings, turns, { overrides, parts });
    return server;
  };
  const taken = async <Value>(bindings: WorkerBindings, act: () => Promise<Value>, context: WorkerContext): Promise<Value> => {
    const turn: Turn = { driver: connectionOf(bindings, parts), work: [] };
    const acting = turns.run(turn, act);
    // Concurrent requests share what one of them began, such as reading the keys: when its caller hangs up, the others must not wait forever.
    context.waitUntil(settled(acting, turn));
    return acting;
  };

  /** Asked until the answer is yes, each request for itself. An outage is not judged here: whatever needs the database says so. */
  const whereFit = async (current: AuthServer): Promise<AuthServer> => {
    if (fit) return current;
    try {
      await refuseDemoDatabase(current.storage);
      await refuseUnknownState(current.storage);
      const root = await current.context();
      if (root) await refuseDemoSecrets(root);
      fit = true;
      await noticeIssuer(current.storage, current.options.issuer, current.options.log);
    } catch (error) {
      if (error instanceof StartRefused) throw error;
    }
    return current;
  };

  /** Whoever may show or write words waits for them. Where they are in the isolate already, this asks nobody. */
  const withWords = async ({ options: { log } }: AuthServer): Promise<void> => {
    if (Date.now() < wordsDue) return;
    await readTranslations().catch((cause: unknown) => {
      wordsDue = Date.now() + wordsAgainMs;
      log.error('words.unread', { means: 'pages and mail are in English' }, cause);
    });
  };

  /** Last-use times and mail gather in the isolate: soon one of its requests carries them to the database, after its answer. */
  const flushSoon = async (current: AuthServer): Promise<void> => {
    if (Date.now() < flushDue) return;
    flushDue = Date.now() + gatherMs;
    await setTimeout(gatherMs);
    if (current.options.sendMail) await withWords(current);
    await current.flush();
  };
  const answered = async (request: Request, bindings: WorkerBindings): Promise<Response> => {
    const current = await whereFit(made(bindings));
    if (readsPages(request)) await withWords(current);
    const answer = await current.fetch(request, { address: request.headers.get('cf-connecting-ip') ?? '0.0.0.0' });
    turns.getStore()?.work.push(flushSoon(current).catch((cause: unknown) => current.options.log.error('flush.failed', {}, cause)));
    return answer;
  };

  const kept = async (bindings: WorkerBindings): Promise<void> => {
    const current = await whereFit(made(bindings));
    if (current.options.sendMail) await withWords(current);
    await current.maintain();
  };

  return {
    fetch: (request: Request, bindings: WorkerBindings, context: WorkerContext): Promise<Response> =>
      taken(bindings, () => answered(request, bindings).catch(notConfigured), context),
    scheduled: (_event: unknown, bindings: WorkerBindings, context: WorkerContext): Promise<void> => taken(bindings, () => kept(bindings), context),
  };
}

/** Programs name what they take; who takes anything may be shown a page. */
function readsPages({ headers }: Request): boolean {
  return /text\/html|\*\/\*/.test(headers.get('accept') ?? '*/*');
}

/** Hyperdrive keeps the real connections. Without what opens them no server is made. */
function connectionOf({ HYPERDRIVE, DB }: WorkerBindings, { openPostgres }: WorkerParts): Driver | undefined {
  return DB || !HYPERDRIVE ? undefined : openPostgres?.(HYPERDRIVE.connectionString, { max: 5 });
}

/** Waits for an answer and what goes on after it. What it begins may begin more, so it looks again. */
async function settled(acting: Promise<unknown>, { driver, work }: Turn): Promise<void> {
  await acting.catch(() => undefined);
  while (work.length > 0) await work.pop();
  await driver?.close();
}

type Given = { overrides: Partial<ServerOptions>; parts: WorkerParts };

function serverOf(bindings: WorkerBindings, turns: AsyncLocalStorage<Turn>, { overrides, parts }: Given): AuthServer {
  const env = Object.fromEntries(Object.entries(bindings).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  const config = loadConfig({ env, file: undefined });
  checkProduction(config);
  checkBindings(bindings, parts);
  const log = logOf(config);
  warnAbout(config, log);
  return checked(() => ({
    ...config.server,
    issuer: config.issuer,
    secret: config.secret,
    driver: bindings.DB ? openD1(bindings.DB) : driverOfTurn(turns),
    log,
    fetchDocument: publicFetcher(),
    postForm: publicPoster(),
    fetchUpstream: publicUpstreamFetch(),
    sendMail: senderOf(bindings, config),
    waitUntil: (work) => void turns.getStore()?.work.push(work),
    ...overrides,
  }));
}

function checkBindings({ DB, HYPERDRIVE, ASSETS }: WorkerBindings, { openPostgres }: WorkerParts): void {
  const refused = (what: string, why: string, fix: string) => new StartRefused(what, { kind: 'usage', why, fix });
  if (!DB && !HYPERDRIVE) {
    const fix = 'Bind a D1 database as DB, or a Hyperdrive as HYPERDRIVE, in wrangler.toml';
    throw refused('No database is bound', 'The server keeps everything in D1 or Postgres.', fix);
  }
  if (!DB && !openPostgres) {
    const fix = 'In worker.ts: createWorker({}, { openPostgres }), with both imported from auth-agent-mcp-server/workers';
    throw refused('HYPERDRIVE is bound, but the Worker does not bring what opens it', 'Only a Worker that uses Postgres carries its driver.', fix);
  }
  if (!ASSETS) {
    const fix = 'Keep [assets] in wrangler.toml as it came: its directory is assets of the server, its binding is ASSETS, and run_worker_first is true';
    throw refused('No assets are bound', 'The filter of common passwords and the languages are static assets of the Worker.', fix);
  }
  bindAssets(ASSETS);
}

/** An isolate has no port of its own, and nothing that outlives a request: metrics and traces are the platform's here. */
function warnAbout({ warnings, smtp, metrics, tracing }: Config, log: Log): void {
  for (const warning of warnings) log.warn('start.setting', { warning });
  if (smtp) log.warn('start.no_smtp_here', { means: 'AUTH_AGENT_SMTP_URL is not used', instead: 'bind the Email Service as EMAIL in wrangler.toml' });
  const instead = 'Workers has its own: Workers Observability in the dashboard, or [observability] in wrangler.toml';
  if (metrics) log.warn('start.no_metrics_here', { means: 'AUTH_AGENT_METRICS_PORT is not used', instead });
  if (tracing) log.warn('start.no_traces_here', { means: 'OTEL_EXPORTER_OTLP_ENDPOINT is not used', instead });
}

function senderOf({ EMAIL }: WorkerBindings, { mailFrom }: Config): MailSender | undefined {
  if (!EMAIL) return undefined;
  if (mailFrom !== undefined) return emailBindingSender(EMAIL, mailFrom);
  const why = 'Mail is switched on by the binding EMAIL and needs an address to be sent from.';
  throw new StartRefused('mailFrom is missing', { kind: 'usage', why, fix: 'AUTH_AGENT_MAIL_FROM = "auth@example.com" under [vars] in wrangler.toml' });
}

function checked(options: () => ServerOptions): AuthServer {
  try {
    return createServer(options());
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    const why = 'Settings are checked before anything is answered.';
    throw new StartRefused(`A setting cannot be used: ${cause.message}`, { kind: 'usage', why, fix: 'Correct it in wrangler.toml', cause });
  }
}

function logOf({ logLevel }: Pick<Config, 'logLevel'>): Log {
  return nodeLog({ output: { write: (line) => console.log(line.trimEnd()) }, format: 'json', level: logLevel });
}

/** Without its bindings a Worker is deployed but cannot answer: its log says what is missing, the world only that it is. */
function notConfigured(error: unknown): Response {
  if (!(error instanceof StartRefused)) throw error;
  logOf({ logLevel: 'error' }).error('start.refused', { what: error.message, why: error.why, fix: error.fix });
  return new Response('This server is not configured yet; its log says what is missing.\n', { status: 503, headers: { 'Cache-Control': 'no-store' } });
}

function driverOfTurn(turns: AsyncLocalStorage<Turn>): Driver {
  const current = (): Driver => {
    const driver = turns.getStore()?.driver;
    if (!driver) throw new StorageUnavailable('no connection outside of a request');
    return driver;
  };
  return {
    name: 'postgres',
    read: (statement) => current().read(statement),
    write: (statements, haste) => current().write(statements, haste),
    script: (sql) => current().script(sql),
    snapshot: () => current().snapshot(),
    close: () => Promise.resolve(),
  };
}
