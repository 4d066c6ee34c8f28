/**
 * Keep-alive connections over bare sockets, as many as it takes: a caller that costs much less than the server it calls, so that one core is enough to bring
 * another to its end. Not here: who calls, and what answers mean (callers.ts).
 */
import { connect, type Socket } from 'node:net';

/** `milliseconds` from the first byte sent to the whole answer. */
export type Observe = (path: string, status: number, milliseconds: number) => void;
type Outgoing = { method?: string; headers: Headers; body?: string };
type Connection = { socket: Socket; idleSince: number; take?: { resolve(answer: Buffer): void; reject(error: Error): void } };

const answerMilliseconds = 20_000;
/** Below what the server keeps an idle connection for. */
const idleMilliseconds = 30_000;
const headEnd = Buffer.from('\r\n\r\n');

export type Callers = {
  /** Connections that are open now, to all servers together. */
  open(): number;
  /** Sends to a server on this machine, by URL. Rejects when there is no whole answer. */
  send(url: string, outgoing: Outgoing): Promise<Response>;
};

export function connections(observe: Observe): Callers {
  const idle = new Map<string, Connection[]>();
  let open = 0;
  const count = (connection: Connection) => {
    open += 1;
    connection.socket.once('close', () => {
      open -= 1;
    });
    return connection;
  };
  async function send(url: string, outgoing: Outgoing): Promise<Response> {
    const { host, port, pathname, search } = new URL(url);
    const connection = idleOne(idle.get(host)) ?? count(opened(Number(port)));
    const began = performance.now();
    const answer = await exchanged(connection, wire(pathname + search, outgoing));
    const response = responseOf(answer);
    observe(pathname, response.status, performance.now() - began);
    connection.idleSince = performance.now();
    const waiting = idle.get(host);
    if (response.headers.get('connection') === 'close') connection.socket.destroy();
    else if (waiting) waiting.push(connection);
    else idle.set(host, [connection]);
    return response;
  }
  return { open: () => open, send };
}

/** The one used last; those that have waited long are closed. */
function idleOne(waiting: Connection[] = []): Connection | undefined {
  const old = performance.now() - idleMilliseconds;
  while ((waiting[0]?.idleSince ?? old) < old) waiting.shift()?.socket.destroy();
  for (;;) {
    const last = waiting.pop();
    if (!last?.socket.destroyed) return last;
  }
}

function opened(port: number): Connection {
  const socket = connect(port, '127.0.0.1');
  const connection: Connection = { socket, idleSince: 0 };
  let pending: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('data', (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    if (!isWhole(pending)) return;
    const answer = pending;
    pending = Buffer.alloc(0);
    connection.take?.resolve(answer);
  });
  socket.setTimeout(answerMilliseconds, () => socket.destroy());
  socket.on('error', () => undefined);
  socket.on('close', () => connection.take?.reject(new Error('the connection ended')));
  return connection;
}

function exchanged(connection: Connection, request: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    connection.take = { resolve, reject };
    connection.socket.write(request, 'latin1');
  });
}

function wire(target: string, { method = 'GET', headers, body = '' }: Outgoing): string {
  let head = `${method} ${target} HTTP/1.1\r\nHost: auth.example.com\r\n`;
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
  return method === 'GET' ? `${head}\r\n` : `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** This server announces the length of every body. */
function isWhole(answer: Buffer): boolean {
  const end = answer.indexOf(headEnd);
  if (end < 0) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer.toString('latin1', 0, end))?.[1] ?? '0';
  return answer.length >= end + headEnd.length + Number(length);
}

function responseOf(answer: Buffer): Response {
  const end = answer.indexOf(headEnd);
  const [first = '', ...lines] = answer.toString('latin1', 0, end).split('\r\n');
  const headers = lines.map((line) => line.split(/: (.*)/s, 2) as [string, string]);
  const status = Number(first.slice(9, 12));
  const empty = status === 204 || status === 304;
  return new Response(empty ? null : answer.toString('utf8', end + headEnd.length), { status, headers });
}
