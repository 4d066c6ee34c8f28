/**
 * Speaks HTTP on Node without building a Request and a Response for every call: the request is a thin view of the socket's message, the reply is written as
 * it is. Measured against the usual adapter this serves a small POST with half the work. Owns: that view and the writing; not here: starting and stopping (node.ts).
 */

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { HttpRequest } from '../http-request.ts';
import type { Reply } from '../route.ts';

/** What answers a request: AuthServer.answer, or the same behind something. */
export type Answerer = (request: HttpRequest, connection: { address: string }) => Promise<Reply>;

/**
 * Makes a listener for node:http. `origin` is what relative request targets are read against; it is never what URLs are made of.
 * `addressOf` tells the caller's address, after trusted proxies.
 */
export function listener(answer: Answerer, origin: string, addressOf: (message: IncomingMessage) => string): RequestListener {
  const replies = together();
  return (message, response) => {
    const target = message.url ?? '/';
    // An absolute or authority form is for proxies, which this is not.
    if (!target.startsWith('/')) return void response.writeHead(400).end();
    answer(requestOf(message, origin + target), { address: addressOf(message) }).then(
      (reply) => replies.add(reply, message, response),
      () => response.destroy(),
    );
  };
}

/**
 * Gathers the replies of one turn of the event loop and writes them at its end. A reply to a waiting peer wakes it up, which costs this processor more than
 * most requests do; replies written one after another wake it once.
 */
function together(): { add(reply: Reply, message: IncomingMessage, response: ServerResponse): void } {
  let waiting: [Reply, IncomingMessage, ServerResponse][] = [];
  const flush = () => {
    const replies = waiting;
    waiting = [];
    for (const [reply, message, response] of replies) write(reply, message, response);
  };
  return {
    add(...reply) {
      if (waiting.push(reply) === 1) setImmediate(flush);
    },
  };
}

function write(reply: Reply, message: IncomingMessage, response: ServerResponse): void {
  const headers = flat(reply.headers).slice();
  for (const cookie of reply.cookies ?? []) headers.push('Set-Cookie', cookie);
  if (reply.body !== null) headers.push('Content-Length', String(Buffer.byteLength(reply.body)));
  else if (reply.status !== 204 && reply.status !== 304) headers.push('Content-Length', '0');
  // A body nobody read, e.g. after a 413, would be taken for the next request.
  if (!message.complete && message.method !== 'GET' && message.method !== 'HEAD') headers.push('Connection', 'close');
  response.writeHead(reply.status, headers);
  response.end(reply.body ?? undefined);
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

/** Callers check the announced length first; Node cuts the body off at it. */
function textOf(message: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk) => chunks.push(chunk as Buffer));
    message.on('end', () => resolve((chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)).toString('utf8')));
    // A client that goes away before the end is an error here too.
    message.on('error', reject);
  });
}
