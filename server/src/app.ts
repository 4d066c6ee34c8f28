/**
 * Turns a route table into a server: finds the tenant, makes the exchange, runs the route, and keeps house. Knows no route by name; the table is server.ts.
 */

import { RegExpRouter } from 'hono/router/reg-exp-router';
import { SmartRouter } from 'hono/router/smart-router';
import { TrieRouter } from 'hono/router/trie-router';
import type { Context, Exchange } from './context.ts';
import { instanceKeys } from './crypto/instance-keys.ts';
import { randomWord } from './crypto/random.ts';
import { signingKeys } from './crypto/signing-keys.ts';
import { OAuthError } from './errors.ts';
import type { HttpRequest } from './http-request.ts';
import { limitsOf } from './limits/limits.ts';
import { outboxOf } from './mail/outbox.ts';
import { checkOptions, limitChangesOf, type Options, type ServerOptions } from './options.ts';
import { headersFor, jsonFace, pageFace, type Reply, type Route, reply, run, type Surface, toResponse } from './route.ts';
import { activityCounter } from './storage/activity-counter.ts';
import { openStorage } from './storage/open.ts';
import { ROOT_TENANT, type Storage } from './storage/store.ts';
import { useCounter } from './storage/use-counter.ts';

/** What the runtime knows about the caller of a request. */
export type Connection = { address: string };

export type AuthServer = {
  /** Answers one request. `connection.address` is the caller's address after trusted proxies. */
  fetch(request: Request, connection: Connection): Promise<Response>;
  /** The same without a Response in between, for runtimes that write status, headers and body themselves. */
  answer(request: HttpRequest, connection: Connection): Reply | Promise<Reply>;
  /** The context of a tenant, by default the root; undefined for an unknown one. */
  context(tenant?: string): Promise<Context | undefined>;
  readonly storage: Storage;
  readonly options: Options;
  /** Sweeps expired rows, expires clients, rotates keys. Call about once a minute; two nodes may do it at once. */
  maintain(): Promise<void>;
  /** Writes batched last-use times and begins to send mail. Call about once a second and before closing. */
  flush(): Promise<void>;
  /** Waits for mail that is being handed over, then closes the database: the other way round that mail would be sent twice. */
  close(): Promise<void>;
};

/** Work of a room that maintain() does for each tenant. */
export type Chore = (context: Context) => Promise<unknown>;

const maxUrlLength = 8192;
const sweepBatch = 200;

/** Builds a server from a table of routes. @throws {TypeError} naming the option that is wrong. */
export function createApp(routes: readonly Route[], chores: readonly Chore[], given: ServerOptions): AuthServer {
  const options = checkOptions(given);
  const storage = openStorage(options.driver);
  const contexts = contextsOf(options, storage, routes);
  const secure = options.issuer.startsWith('https:');
  const headers = Object.fromEntries(
    (['document', 'backchannel', 'private', 'page'] as Surface[]).map((surface) => [surface, headersFor(surface, secure)]),
  ) as Record<Surface, ReturnType<typeof headersFor>>;
  const nextId = requestIds();
  const fixed = new Map<string, Route>();
  const router = new SmartRouter<Place>({ routers: [new RegExpRouter(), new TrieRouter()] });
  for (const route of routes) {
    for (const path of pathsOf(route.path)) {
      if (path.includes(':')) router.add('ALL', path, { route, tenanted: path.includes(':tenant') });
      else fixed.set(path, route);
    }
  }

  function answer(request: HttpRequest, { address }: Connection): Reply | Promise<Reply> {
    const bare: Exchange = { request, address, requestId: nextId(), params: {} };
    if (request.url.length > maxUrlLength) return refused(new OAuthError('uri_too_long', 'The address is longer than 8 KiB'), bare);
    const path = pathOf(request.url);
    const known = fixed.get(path);
    if (known) return run(known, bare, contexts.root, headers);
    const matched = router.match('ALL', path);
    const [found] = matched[0];
    if (!found) return nothingHere(bare);
    const [{ route, tenanted }, parameters] = found;
    const params = decoded(parameters, matched.length === 2 ? matched[1] : []);
    if (!params) return nothingHere(bare);
    const exchange = { ...bare, params };
    return tenanted ? ofTenant(params.tenant ?? '', route, exchange) : run(route, exchange, contexts.root, headers);
  }

  async function ofTenant(tenant: string, route: Route, exchange: Exchange): Promise<Reply> {
    const context = await contexts.find(tenant);
    return context ? run(route, exchange, context, headers) : nothingHere(exchange);
  }

  /** Well-known misses are JSON for any origin (META-14); people get a page. */
  function nothingHere(exchange: Exchange): Reply {
    const machine = exchange.request.url.includes('/.well-known/') || !(exchange.request.headers.get('accept') ?? '').includes('text/html');
    const error = new OAuthError('not_found', 'There is nothing at this address');
    return machine ? reply(jsonFace(error, exchange, contexts.root), headers.document) : refused(error, exchange);
  }

  function refused(error: OAuthError, exchange: Exchange): Reply {
    return reply(pageFace(error, exchange, contexts.root), headers.page);
  }

  return {
    storage,
    options,
    context: (tenant) => (tenant === undefined ? Promise.resolve(contexts.root) : contexts.find(tenant)),
    answer,
    fetch: async (request, connection) => toResponse(await answer(request, connection)),
    async maintain() {
      const now = options.now();
      while ((await storage.sweep(now, sweepBatch)) > 0);
      for (const context of await contexts.all()) {
        for (const chore of chores) await chore(context);
        await context.signing.rotateIfDue();
      }
    },
    async flush() {
      for (const context of contexts.known()) {
        context.mail.tick();
        await context.uses.flush();
        await context.activity.flush();
      }
    },
    async close() {
      for (const context of contexts.known()) await context.mail.idle();
      options.sendMail?.close?.();
      await storage.close();
    },
  };
}

type Place = { route: Route; tenanted: boolean };
/** The path, percent-encoded as it came. */
function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const query = url.indexOf('?', start);
  return start === -1 ? '/' : url.slice(start, query === -1 ? undefined : query);
}

/** Parameters of the path, decoded; undefined when one is not valid percent-encoding. A Hono router gives them, or where they stand in the stash. */
function decoded(parameters: Record<string, number | string>, stash: string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [name, value] of Object.entries(parameters)) {
    try {
      params[name] = decodeURIComponent(typeof value === 'number' ? (stash[value] ?? '') : value);
    } catch {
      return undefined;
    }
  }
  return params;
}

/** A route exists at the root and below `/t/<tenant>`; well-known documents take the tenant's path after their name (RFC 8414 §3.1), and OpenID discovery also before it. */
function pathsOf(path: string): string[] {
  const wellKnown = /^\/\.well-known\/(oauth-authorization-server|openid-configuration|oauth-protected-resource)$/.test(path);
  return wellKnown ? [path, `${path}/t/:tenant`, `/t/:tenant${path}`] : [path, `/t/:tenant${path}`];
}

function contextsOf(options: Options, storage: Storage, routes: readonly Route[]) {
  const instance = instanceKeys(options.secret);
  const known = new Map<string, Context>();
  const changes = limitChangesOf(options);

  function make(tenant: string): Context {
    const base = tenant === ROOT_TENANT ? '' : `/t/${tenant}`;
    const store = storage.forTenant(tenant);
    const { now, log } = options;
    const signing = signingKeys({
      store,
      instance,
      now,
      algorithm: options.signingAlgorithm,
      signingKeySeconds: options.signingKeySeconds,
      tokenSeconds: options.accessTokenSeconds,
    });
    const issuer = options.issuer + base;
    const limits = limitsOf({ store, changes, now });
    const mail = outboxOf({ options, issuer, store, instance, limits, now, log });
    const activity = activityCounter(store, options.activitySeconds);
    const context: Context = { options, issuer, base, store, signing, instance, limits, mail, uses: useCounter(store), activity, now, log, routes };
    known.set(tenant, context);
    return context;
  }

  const root = make(ROOT_TENANT);
  async function find(tenant: string): Promise<Context | undefined> {
    const found = known.get(tenant);
    if (found) return found;
    return /^[a-z0-9][a-z0-9-]{0,62}$/.test(tenant) && (await storage.hasTenant(tenant)) ? make(tenant) : undefined;
  }
  async function all(): Promise<Context[]> {
    const tenants = await storage.listTenants();
    const found = await Promise.all(tenants.map(({ tenant }) => find(tenant)));
    return [root, ...found.filter((context) => context !== undefined && context !== root)] as Context[];
  }
  return { root, find, all, known: () => [...known.values()] };
}

/** Ids that name a request in answers and logs: a random start per process and a counter. */
function requestIds(): () => string {
  const start = `req_${randomWord(8)}`;
  let count = 0;
  return () => `${start}${(count++).toString(36).padStart(4, '0')}`;
}
