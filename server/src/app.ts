/**
 * Turns a route table into a server: finds the tenant, makes the exchange, runs the route, and keeps house. Knows no route by name; the table is server.ts.
 */

import { RegExpRouter } from 'hono/router/reg-exp-router';
import { SmartRouter } from 'hono/router/smart-router';
import { TrieRouter } from 'hono/router/trie-router';
import type { Context, Exchange } from './context.ts';
import { randomWord } from './crypto/random.ts';
import { OAuthError } from './errors.ts';
import type { HttpRequest } from './http-request.ts';
import { isShed, type Pressure, shedding } from './load-shedding.ts';
import { checkOptions, type Options, type ServerOptions } from './options.ts';
import { headersFor, jsonFace, observed, pageFace, type Reply, type Route, refuse, reply, run, type Surface, toResponse } from './route.ts';
import { openStorage } from './storage/open.ts';
import type { Storage } from './storage/store.ts';
import { tenantContexts } from './tenant-contexts.ts';

/** What the runtime knows about the caller of a request, and whether it has more requests in hand than it should. */
export type Connection = { address: string; pressure?: Pressure };

export type AuthServer = {
  /** Answers one request. `connection.address` is the caller's address after trusted proxies. */
  fetch(request: Request, connection: Connection): Promise<Response>;
  /** The same without a Response in between, for runtimes that write status, headers and body themselves. */
  answer(request: HttpRequest, connection: Connection): Reply | Promise<Reply>;
  /** The context of a tenant, by default the root; undefined for an unknown one. */
  context(tenant?: string): Promise<Context | undefined>;
  readonly storage: Storage;
  readonly options: Options;
  /** Sweeps expired rows, expires clients, rotates keys, and begins to hand over what waits: nobody outside holds it up. Call about once a minute; two nodes may do it at once. */
  maintain(): Promise<Found>;
  /** Writes batched last-use times, begins to send mail and to deliver webhooks. Call about once a second and before closing. */
  flush(): Promise<void>;
  /** Waits for mail, webhooks and logouts that are being handed over, each at most as long as one attempt, and hands over no more. What is left waits in the database. */
  settle(): Promise<void>;
  /** Settles, then closes the database: the other way round they would be sent twice. */
  close(): Promise<void>;
};

/** What the housekeeping comes across in all tenants, for whoever measures. */
export type Found = {
  /** When the first API key in use ends, or has ended, in seconds since 1970; absent while none is in use. */
  firstKeyEndsAt?: number;
};
/** Work of a room that maintain() does for each tenant. */
export type Chore = (context: Context, found: Found) => Promise<unknown>;

const maxUrlLength = 8192;
const sweepBatch = 200;

/** Builds a server from a table of routes. @throws {TypeError} naming the option that is wrong. */
export function createApp(routes: readonly Route[], chores: readonly Chore[], given: ServerOptions): AuthServer {
  const options = checkOptions(given);
  const storage = openStorage(options.driver);
  const contexts = tenantContexts(options, storage, routes);
  const secure = options.issuer.startsWith('https:');
  const headers = Object.fromEntries(
    (['document', 'backchannel', 'private', 'page', 'popup'] as Surface[]).map((surface) => [surface, headersFor(surface, secure)]),
  ) as Record<Surface, ReturnType<typeof headersFor>>;
  const nextId = requestIds();
  const { observe } = options;
  const serve = observe ? observed(observe) : run;
  const fixed = new Map<string, Route>();
  const router = new SmartRouter<Place>({ routers: [new RegExpRouter(), new TrieRouter()] });
  for (const route of routes) {
    for (const path of pathsOf(route.path)) {
      if (path.includes(':')) router.add('ALL', path, { route, tenanted: path.includes(':tenant') });
      else fixed.set(path, route);
    }
  }

  const shed = shedding({ options, context: contexts.root, surfaces: headers });

  function answer(request: HttpRequest, { address, pressure }: Connection): Reply | Promise<Reply> {
    const bare: Exchange = {
      request,
      address,
      requestId: nextId(),
      params: {},
      route: undefined,
      grantType: undefined,
      outcome: undefined,
      decision: undefined,
    };
    if (request.url.length > maxUrlLength)
      return seen(bare, undefined, () => refused(new OAuthError('uri_too_long', 'The address is longer than 8 KiB'), bare));
    const path = pathOf(request.url);
    const known = fixed.get(path);
    if (known) return isShed(known, pressure) ? refuseBusy(known, bare) : serve(known, bare, contexts.root, headers);
    const matched = router.match('ALL', path);
    const [found] = matched[0];
    if (!found) return nothingHere(bare);
    const [{ route, tenanted }, parameters] = found;
    const params = decoded(parameters, matched.length === 2 ? matched[1] : []);
    if (!params) return nothingHere(bare);
    const exchange = { ...bare, params };
    if (isShed(route, pressure)) return refuseBusy(route, exchange);
    return tenanted ? ofTenant(params.tenant ?? '', route, exchange) : serve(route, exchange, contexts.root, headers);
  }

  async function ofTenant(tenant: string, route: Route, exchange: Exchange): Promise<Reply> {
    try {
      const context = await contexts.find(tenant);
      return context ? await serve(route, exchange, context, headers) : nothingHere(exchange);
    } catch (error) {
      return refuseAt(route, exchange, error);
    }
  }

  function refuseBusy(route: Route, exchange: Exchange): Reply | Promise<Reply> {
    return seen(exchange, route.path, () => shed(route, exchange));
  }

  function refuseAt(route: Route, exchange: Exchange, error: unknown): Reply | Promise<Reply> {
    return seen(exchange, route.path, () => refuse(error, route, { exchange, context: contexts.root, surfaces: headers }));
  }

  /** Well-known misses are JSON for any origin (META-14); people get a page. */
  function nothingHere(exchange: Exchange): Reply | Promise<Reply> {
    const machine = exchange.request.url.includes('/.well-known/') || !(exchange.request.headers.get('accept') ?? '').includes('text/html');
    const error = new OAuthError('not_found', 'There is nothing at this address');
    return seen(exchange, undefined, () => (machine ? reply(jsonFace(error, exchange, contexts.root), headers.document) : refused(error, exchange)));
  }

  function seen(exchange: Exchange, path: string | undefined, answer: () => Reply): Reply | Promise<Reply> {
    return observe ? observe(exchange, path, answer) : answer();
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
      const found: Found = {};
      const sweep = async () => {
        while ((await storage.sweep(now, sweepBatch)) > 0);
      };
      const ofEach: Chore[] = [...chores, ({ signing }) => signing.rotateIfDue()];
      const forTenants = async () => eachInTurn(await contexts.all(), (context) => eachInTurn(ofEach, (chore) => chore(context, found)));
      // Swept last: on its way to what may go the sweep would walk past every family whose grant has not ended yet, again with each write.
      await eachInTurn([contexts.refresh, forTenants, sweep], (work) => work());
      return found;
    },
    async flush() {
      await contexts.refresh();
      await eachInTurn(contexts.known(), async (context) => {
        context.mail.tick();
        context.webhooks.tick();
        await context.uses.flush();
        await context.activity.flush();
      });
    },
    settle: () => contexts.end(),
    async close() {
      await contexts.end();
      options.sendMail?.close?.();
      await storage.close();
    },
  };
}

type Place = { route: Route; tenanted: boolean };

/** The trouble of one tenant, or of one chore, is not another's: each has its turn. @throws what the first that failed threw, after the last. */
async function eachInTurn<One>(all: readonly One[], act: (one: One) => Promise<unknown>): Promise<void> {
  const failures: unknown[] = [];
  for (const one of all) await act(one).catch((cause: unknown) => failures.push(cause));
  if (failures.length > 0) throw failures[0];
}

/** The path, percent-encoded as it came. */
function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const query = url.indexOf('?', start);
  return start === -1 ? '/' : url.slice(start, query === -1 ? undefined : query);
}

/** Parameters of the path, decoded; undefined when one is not valid percent-encoding, or holds the one character that Postgres cannot be asked about. A Hono router gives them, or where they stand in the stash. */
function decoded(parameters: Record<string, number | string>, stash: string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [name, value] of Object.entries(parameters)) {
    try {
      params[name] = decodeURIComponent(typeof value === 'number' ? (stash[value] ?? '') : value);
    } catch {
      return undefined;
    }
    if (params[name].includes('\0')) return undefined;
  }
  return params;
}

/** A route exists at the root and below `/t/<tenant>`; well-known documents take the tenant's path after their name (RFC 8414 §3.1), and OpenID discovery also before it. */
function pathsOf(path: string): string[] {
  const wellKnown = /^\/\.well-known\/(oauth-authorization-server|openid-configuration|oauth-protected-resource)$/.test(path);
  return wellKnown ? [path, `${path}/t/:tenant`, `/t/:tenant${path}`] : [path, `/t/:tenant${path}`];
}

/** Ids that name a request in answers and logs: a random start per process and a counter. */
function requestIds(): () => string {
  const start = `req_${randomWord(8)}`;
  let count = 0;
  return () => `${start}${(count++).toString(36).padStart(4, '0')}`;
}
