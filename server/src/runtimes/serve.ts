/**
 * A server on the sockets of Node: addresses of callers, the clockwork (last use each second, housekeeping each minute), and a stop that lets running requests
 * finish. Not here: which server (production.ts, development.ts), how long callers may take (http-server.ts), signals and exit codes (cli/).
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import type { Connection } from '../app.ts';
import type { Log } from '../context.ts';
import { clientAddress, proxyList } from './client-address.ts';
import { clockWatch } from './clock-watch.ts';
import { type BoundedServer, boundedServer, type Patience, patience } from './http-server.ts';
import { type Answerer, type Load, listener } from './node-http.ts';
import { StartRefused } from './start-refused.ts';

export type NodeOptions = {
  fetch(request: Request, connection: Connection): Response | Promise<Response>;
  /** The same as plain values; used instead of `fetch` when there. */
  answer?: Answerer;
  /** 0 takes any free port. */
  port: number;
  /** Address to listen on. `localhost` is both loopback addresses, whichever a client prefers. */
  host: string;
  /** Addresses and networks whose `X-Forwarded-For` is believed (RATE-04); by default none. */
  trustedProxies?: readonly string[];
  /** Writes batched last-use times; called each second and before the end. */
  flush?(): Promise<void>;
  /** Housekeeping; called each minute. */
  maintain?(): Promise<unknown>;
  /** Finishes what is being handed over and begins no more; called after the last answer. */
  settle?(): Promise<void>;
  /** Closes the database, last of all. */
  close?(): Promise<void>;
  log: Log;
  /** How long /health/ready says no before the sockets close, so that a load balancer notices. */
  drainSeconds?: number;
  /** How long running requests may take to finish. */
  finishSeconds?: number;
  /** Requests that wait for their answer, at most; beyond it 503 at once, but for documents and health. Only where there is `answer`. */
  maxRequests?: number;
  /** How long callers may take, where it differs. */
  patience?: Partial<Patience>;
};

export type RunningServer = {
  /** `http://<host>:<port>` */
  url: string;
  port: number;
  /** Stops once, however often it is called: readiness first, then no new connections, running requests, last-use times, the database. `drainSeconds` of 0 does not wait. */
  stop(options?: { drainSeconds?: number }): Promise<void>;
};

const second = 1000;
const readyPath = /^\/(health\/ready|readyz)(\?|$)/;
const maxRequests = 1000;

/** Listens. @throws {StartRefused} when the port is taken or may not be used; @throws {TypeError} for a proxy that is no address. */
export async function startNode(options: NodeOptions): Promise<RunningServer> {
  const isProxy = proxyList(options.trustedProxies ?? []);
  const load: Load = { inFlight: 0, most: options.maxRequests ?? maxRequests, stopping: false, newcomer: false };
  const servers: BoundedServer[] = [];
  let { port } = options;
  for (const host of hostsOf(options.host)) {
    const made = makeServer(options, isProxy, load);
    try {
      port = await listen(made.server, host, port);
      servers.push(made);
    } catch (error) {
      // A machine without IPv6 has only one loopback address.
      if (servers.length > 0 && isMissingAddress(error)) continue;
      for (const { server } of servers) server.close();
      throw refusal(error, host, port);
    }
  }
  const clock = clockwork(options);
  let stopped: Promise<void> | undefined;
  return {
    url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    port,
    stop: ({ drainSeconds = options.drainSeconds ?? 0 } = {}) => {
      stopped ??= stop(options, { servers, clock, load, drainSeconds });
      return stopped;
    },
  };
}

function makeServer(options: NodeOptions, isProxy: (address: string) => boolean, load: Load): BoundedServer {
  const handle = requestListener(options, isProxy, load);
  const untilStopped: RequestListener = (message, response) => {
    if (load.stopping) {
      response.setHeader('Connection', 'close');
      if (readyPath.test(message.url ?? '')) return notReady(response);
    }
    return handle(message, response);
  };
  const made = boundedServer(untilStopped, { ...patience, ...options.patience });
  made.server.on('connection', () => {
    load.newcomer = true;
  });
  return made;
}

function requestListener({ answer, fetch }: NodeOptions, isProxy: (address: string) => boolean, load: Load): RequestListener {
  if (answer) return listener(answer, (message) => addressOf(message, isProxy), load);
  const connectionOf = (env: unknown): Connection => ({ address: addressOf((env as HttpBindings).incoming, isProxy) });
  return getRequestListener((request, env) => fetch(request, connectionOf(env)), { overrideGlobalObjects: false }) as RequestListener;
}

function addressOf({ socket, headers }: IncomingMessage, isProxy: (address: string) => boolean): string {
  const forwarded = headers['x-forwarded-for'];
  return clientAddress(socket.remoteAddress, Array.isArray(forwarded) ? forwarded.join(',') : forwarded, isProxy);
}

function notReady(response: ServerResponse): void {
  response.writeHead(503, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', 'Retry-After': '5' }).end('{"status":"stopping"}');
}

function hostsOf(host: string): string[] {
  return host === 'localhost' ? ['127.0.0.1', '::1'] : [host];
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function isMissingAddress(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT');
}

function refusal(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return new StartRefused(`Port ${port} on ${host} is taken`, {
      kind: 'conflict',
      why: 'Another program listens there, perhaps an earlier start of this one.',
      fix: `Stop it, or take another: --port ${port + 1}`,
      cause: error,
    });
  }
  if (code === 'EACCES')
    return new StartRefused(`Port ${port} may not be used`, {
      why: 'Ports below 1024 need privileges on this machine.',
      fix: 'Take a higher one and let a proxy in front have it: --port 9000',
      cause: error,
    });
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new StartRefused(`${host} is no address of this machine`, {
      why: 'A server can listen only on addresses it has.',
      fix: '--host 127.0.0.1, or 0.0.0.0 for all',
      cause: error,
    });
  return error;
}

/** Each work waits for its own end before it begins again; a failure is logged and tried again. Returns what stops the clock and waits for the work under way. */
function clockwork({ flush, maintain, log }: NodeOptions): () => Promise<unknown> {
  const every = (seconds: number, work: (() => Promise<unknown>) | undefined, event: string): (() => Promise<unknown> | undefined) => {
    if (!work) return () => undefined;
    let running: Promise<unknown> | undefined;
    const run = () => {
      running ??= work()
        .catch((error: unknown) => log.error(event, {}, error))
        .finally(() => {
          running = undefined;
        });
    };
    const timer = setInterval(run, seconds * second).unref();
    return () => {
      clearInterval(timer);
      return running;
    };
  };
  const look = clockWatch(log);
  const watch = async () => look();
  const ends = [every(1, flush, 'use.flush_failed'), every(60, maintain, 'maintenance.failed'), every(1, watch, 'clock.not_watched')];
  return () => Promise.all(ends.map((end) => end()));
}

type Running = { servers: BoundedServer[]; clock: () => Promise<unknown>; load: Load; drainSeconds: number };

async function stop({ flush, settle, close, log, finishSeconds = 10 }: NodeOptions, { servers, clock, load, drainSeconds }: Running): Promise<void> {
  load.stopping = true;
  log.info('server.stopping', { drain_seconds: drainSeconds });
  if (drainSeconds > 0) await new Promise((resolve) => setTimeout(resolve, drainSeconds * second));
  const deadline = setTimeout(() => {
    for (const { server } of servers) server.closeAllConnections();
  }, finishSeconds * second);
  // A connection that becomes idle later is ended by nobody else.
  const sweep = setInterval(() => {
    for (const { endIdle } of servers) endIdle();
  }, 100);
  await Promise.all(servers.map(({ server }) => new Promise<void>((resolve) => server.close(() => resolve()))));
  clearTimeout(deadline);
  clearInterval(sweep);
  const ticking = clock();
  try {
    await flush?.();
  } finally {
    // Before the housekeeping that is under way, which would go on to hand over everything there is.
    await settle?.();
    await ticking;
    await close?.();
  }
  log.info('server.stopped');
}
