/**
 * Speaks HTTP on Node without building a Request and a Response for every call: the request is a thin view of the socket's message, the reply is written as
 * it is. Measured against the usual adapter this serves a small POST with half the work. Owns: that view and the writing; not here: starting and stopping (node.ts).
 */

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { BodyCutOff, type HttpRequest } from '../http-request.ts';
import type { Pressure } from '../load-shedding.ts';
import type { Reply } from '../route.ts';

/** What relative request targets are read against; URLs are made from the issuer. */
const origin = 'http://localhost';

/** What answers a request: AuthServer.answer, or the same behind something. */
export type Answerer = (request: HttpRequest, connection: { address: string; pressure: Pressure | undefined }) => Reply | Promise<Reply>;

/**
 * Requests that one turn of the event loop begins, and turns that only look for newcomers. Each turn accepts one connection and no more (libuv): if every one were full of
 * work, whoever comes would wait for seconds, unseen and uncounted, while the others are served.
 */
const mostPerTurn = 32;
const mostTurnsForNewcomers = 16;

/** What a server has in hand: requests that wait for their answer, at most `most`. */
export type Load = {
  inFlight: number;
  readonly most: number;
  stopping: boolean;
  /** Somebody connected since this was last looked at. */
  newcomer: boolean;
};

/** In milliseconds: a pause of the machine or of the disk is over sooner, and then all of them are answered. */
const burst = 1000;

/**
 * Makes a listener for node:http.
 * `addressOf` tells the caller's address, after trusted proxies.
 */
export function listener(answer: Answerer, addressOf: (message: IncomingMessage) => string, load: Load): RequestListener {
  const write = eachTurn<Written>((written) => writeReply(written, load));
  const pressureOf = pressure(load);
  const begin = eachTurn<Pending>(([message, response], waiting) => {
    // Nobody waits for an answer any more.
    if (message.destroyed) return;
    try {
      const reply = answer(requestOf(message, origin + message.url), { address: addressOf(message), pressure: pressureOf(waiting) });
      if (!(reply instanceof Promise)) return writeReply([reply, message, response], load);
      const done = count(message, load);
      reply.then(
        (later) => {
          done();
          write([later, message, response]);
        },
        () => {
          done();
          response.destroy();
        },
      );
    } catch {
      // What fails here ends its own connection, not those that were gathered with it.
      response.destroy();
    }
  }, newcomersFirst(load));
  return (message, response) => {
    // An absolute or authority form is for proxies, which this is not.
    if (!message.url?.startsWith('/')) return void response.writeHead(400).end();
    begin([message, response]);
  };
}

/**
 * Who is accepted while there is too much to do for long waits behind all the others; so fewer are, and these as quickly as ever. Two fifths of the most is too much, and
 * seven tenths far too much, but only after a burst; the most is, at once. It ends when there was no longer too much for as long as a burst.
 */
export function pressure(load: Pick<Load, 'inFlight' | 'most'>, clock: () => number = () => performance.now()): (waiting: number) => Pressure | undefined {
  let tooMuchSince: number | undefined;
  let calmSince: number | undefined;
  return (waiting) => {
    const inHand = load.inFlight + waiting;
    const isCalm = inHand < load.most * 0.4;
    if (isCalm && tooMuchSince === undefined) return undefined;
    const now = clock();
    if (isCalm) {
      calmSince ??= now;
      if (now - calmSince > burst) tooMuchSince = undefined;
      return undefined;
    }
    calmSince = undefined;
    tooMuchSince ??= now;
    if (inHand >= load.most) return 'full';
    if (now - tooMuchSince <= burst) return undefined;
    return inHand >= load.most * 0.7 ? 'full' : 'busy';
  };
}

/**
 * Counts a request until it is answered. One whose body still comes is counted when it is whole: slow senders must not use up what the others need. Nothing waits for the
 * body of a GET, so one that announces a body and never sends it is at work, and counts.
 */
function count(message: IncomingMessage, load: Load): () => void {
  let counted = 0;
  const begin = () => {
    counted = 1;
    load.inFlight += 1;
  };
  if (message.complete || hasNoBodyOfUse(message)) begin();
  else message.once('end', begin);
  return () => {
    load.inFlight -= counted;
    if (counted === 0) message.off('end', begin);
  };
}

const hasNoBodyOfUse = ({ method }: IncomingMessage): boolean => method === 'GET' || method === 'HEAD';

type Pending = [IncomingMessage, ServerResponse];
type Written = [Reply, ...Pending];

type Turn = {
  /** Whether to look again in the next turn first. */
  waits(): boolean;
  /** How much of it is handled at once. */
  readonly most: number;
};

/** Where this turn accepted somebody, the next may accept another. */
function newcomersFirst(load: Load): Turn {
  let turns = 0;
  return {
    most: mostPerTurn,
    waits() {
      turns = load.newcomer && turns < mostTurnsForNewcomers ? turns + 1 : 0;
      load.newcomer = false;
      return turns > 0;
    },
  };
}

const atOnce: Turn = { waits: () => false, most: Number.POSITIVE_INFINITY };

/**
 * Gathers what one turn of the event loop brings and handles it together at its end. Requests that begin together take each step together, so that code and tables of
 * one step are still in the processor's cache for the next request; replies written together wake a waiting peer once. Measured: half the work per request. `handle`
 * is told how many wait behind.
 */
function eachTurn<Item>(handle: (item: Item, waiting: number) => void, turn: Turn = atOnce): (item: Item) => void {
  let items: Item[] = [];
  const flush = () => {
    if (turn.waits()) return void setImmediate(flush);
    const gathered = items;
    items = gathered.length > turn.most ? gathered.splice(turn.most) : [];
    const waiting = items.length;
    if (waiting > 0) setImmediate(flush);
    for (const item of gathered) handle(item, waiting);
  };
  return (item) => {
    if (items.push(item) === 1) setImmediate(flush);
  };
}

/** A reply that cannot be written ends its own connection and nothing else. */
function writeReply([reply, message, response]: Written, load: Load): void {
  try {
    write(reply, message, response, load.stopping);
  } catch {
    response.destroy();
  }
}

function write(reply: Reply, message: IncomingMessage, response: ServerResponse, last: boolean): void {
  const headers = flat(reply.headers).slice();
  for (const cookie of reply.cookies ?? []) headers.push('Set-Cookie', cookie);
  const length = reply.body === null ? 0 : Buffer.byteLength(reply.body);
  if (reply.body !== null) headers.push('Content-Length', String(length));
  else if (reply.status !== 204 && reply.status !== 304) headers.push('Content-Length', '0');
  // A body nobody read, e.g. after a 413, would be taken for the next request.
  if (last || (!message.complete && !hasNoBodyOfUse(message))) headers.push('Connection', 'close');
  response.writeHead(reply.status, headers);
  // As many bytes as letters: plain ASCII, which needs no encoding.
  response.end(reply.body ?? undefined, length === reply.body?.length ? 'latin1' : 'utf8');
}

/** Names and values in turn, as Node writes them without looking at each; made once for headers that many replies share. */
function flat(headers: Reply['headers']): string[] {
  let known = flattened.get(headers);
  if (!known) {
    known = Object.entries(headers).flat();
    flattened.set(headers, known);
  }
  return known;
}
const flattened = new WeakMap<Reply['headers'], string[]>();

function requestOf(message: IncomingMessage, url: string): HttpRequest {
  return { method: message.method ?? 'GET', url, headers: { get: (name) => headerOf(message, name) }, body: bodyOf(message), text: () => textOf(message) };
}

/** Node joins repeated headers as the Fetch standard does, except Set-Cookie, which requests have not. */
function headerOf(message: IncomingMessage, name: string): string | null {
  const value = message.headers[name.toLowerCase()];
  return value === undefined ? null : Array.isArray(value) ? value.join(', ') : value;
}

function bodyOf(message: IncomingMessage): IncomingMessage | null {
  const hasBody = message.headers['content-length'] !== undefined || message.headers['transfer-encoding'] !== undefined;
  return hasBody ? message : null;
}

/** Callers check the announced length first; Node cuts the body off at it. Nearly always all of it came with the headers, and is taken at once. */
function textOf(message: IncomingMessage): string | Promise<string> {
  if (message.readableLength > 0 && message.readableLength === Number(message.headers['content-length'])) return (message.read() as Buffer).toString('utf8');
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk) => chunks.push(chunk as Buffer));
    message.on('end', () => resolve((chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)).toString('utf8')));
    // A client that goes away before the end is an error here too.
    message.on('error', () => reject(new BodyCutOff()));
  });
}
