/**
 * The bounds of a server on Node's sockets: how long a caller may take, how much it may send before anybody reads it, how many may be connected. What the parser
 * refuses, Node answers by itself: 400, 408 and 431. Not here: the size of bodies (rules/read-body.ts), what is answered (node-http.ts), starting and stopping (serve.ts).
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { maxBodyBytes } from '../rules/read-body.ts';

/** In milliseconds. */
export type Patience = {
  /** For the headers of a request, from its first byte or the connection on. Beyond it 408. */
  headers: number;
  /** For a request with its body. Beyond it 408. */
  request: number;
  /**
   * Without a byte in either direction, at least: a reader that stopped reading does not keep its socket. Longer than proxies keep their connections
   * (Caddy two minutes): the side that reuses one must not be surprised by its end.
   */
  silence: number;
  /** How often all of that is looked at. */
  check: number;
};

export const patience: Patience = { headers: 10_000, request: 30_000, silence: 150_000, check: 5000 };

/** The parser stops at so many bytes of request line and headers together, with 431. */
const maxHeaderBytes = 16 * 1024;
const maxHeaders = 100;
/** Below what operating systems allow a process, so that files and connections of our own can still be opened. */
const maxConnections = 10_000;

/**
 * Requests of one connection that wait behind another of it (RFC 9112 §9.3.2), at most: Node takes longer for each the more there are, and a few megabytes of them would
 * hold up everybody for minutes. Browsers and proxies send none.
 */
const mostPipelined = 100;

/** `endIdle` ends the connections on which nothing is asked, those on which nothing ever was among them, which Node leaves open. */
export type BoundedServer = { server: Server; endIdle(): void };

/** A connection, how many bytes it had moved when it was last seen to move any, and when that was, in milliseconds of the steady clock. */
export type Seen = { socket: Socket; bytes: number; at: number };

/** Makes a server that does not listen yet. */
export function boundedServer(handle: RequestListener, { headers, request, silence, check }: Patience): BoundedServer {
  const open = new Set<Seen>();
  const unused = new Set<Socket>();
  const queues = new WeakMap<Socket, number>();
  const bounded: RequestListener = (message, response) => {
    // Only a response that has to wait for another has no socket yet; Bun knows no such queue.
    if (response.socket === null && process.versions.bun === undefined && isOneTooMany(queues, message.socket, response)) return void message.socket.destroy();
    if (unused.size > 0) unused.delete(message.socket);
    if (message.rawHeaders.length > 2 * maxHeaders) return end(response, 431);
    if (hasTwoHosts(message.rawHeaders)) return end(response, 400);
    return handle(message, response);
  };
  // Node would arm and disarm a timer with each request and each answer. So idle connections are looked for instead.
  const times = { headersTimeout: headers, requestTimeout: request, keepAliveTimeout: 0, connectionsCheckingInterval: check };
  const server = createServer({ ...times, maxHeaderSize: maxHeaderBytes }, bounded);
  server.maxConnections = maxConnections;
  // RFC 9110 §10.1.1: who asks first is told to send nothing that would be refused.
  server.on('checkContinue', (message: IncomingMessage, response: ServerResponse) => {
    if (Number(message.headers['content-length'] ?? 0) <= maxBodyBytes) response.writeContinue();
    bounded(message, response);
  });
  server.on('connection', (socket: Socket) => {
    const seen = { socket, bytes: 0, at: performance.now() };
    open.add(seen);
    unused.add(socket);
    socket.once('close', () => {
      open.delete(seen);
      unused.delete(socket);
    });
  });
  // Bun counts no bytes, so that there would be nothing to see.
  if (process.versions.bun !== undefined) server.timeout = silence;
  else
    server.once('listening', () => {
      const looking = setInterval(() => endSilent(open, silence, performance.now()), check).unref();
      server.once('close', () => clearInterval(looking));
    });
  const endIdle = () => {
    server.closeIdleConnections();
    // Bun counts no bytes; there a request whose headers are still on their way ends too. Of a connection without a byte it tells nobody, and waits for none.
    for (const socket of unused) if (socket.bytesRead === 0) socket.destroy();
  };
  return { server, endIdle };
}

/** Whether so many wait on this connection that it must end. Until its turn comes a response is counted. */
function isOneTooMany(queues: WeakMap<Socket, number>, socket: Socket, response: ServerResponse): boolean {
  const waiting = (queues.get(socket) ?? 0) + 1;
  queues.set(socket, waiting);
  response.once('socket', () => queues.set(socket, (queues.get(socket) ?? 1) - 1));
  return waiting > mostPipelined;
}

/** RFC 9112 §3.2 demands a 400; Node takes the first, and whoever is before or behind us may take the other. */
function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.length === 4 && rawHeaders[at]?.toLowerCase() === 'host') hosts += 1;
  return hosts > 1;
}

/** Ends connections on which nothing moved for `silence` milliseconds. Of one that has said nothing yet Node waits for the headers. */
export function endSilent(open: Iterable<Seen>, silence: number, now: number): void {
  for (const seen of open) {
    const { socket } = seen;
    const waits = socket.writableLength > 0;
    // Only Node's own timer sees whether what the system holds for a reader becomes less.
    if (waits !== (socket.timeout ?? 0) > 0) socket.setTimeout(waits ? silence : 0);
    const bytes = socket.bytesRead + socket.bytesWritten;
    if (waits || bytes !== seen.bytes) Object.assign(seen, { bytes, at: now });
    else if (bytes > 0 && now - seen.at >= silence) socket.destroy();
  }
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { Connection: 'close', 'Content-Length': '0' }).end();
}
