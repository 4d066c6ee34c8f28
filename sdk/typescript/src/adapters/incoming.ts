/**
 * Between node:http and the guard; what the express and node adapters have in common. Types only from `node:`.
 */
import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Answer } from '../challenge.ts';
import { type Admission, completeHeaders, type Inbound, type MutableHeaders } from '../guard.ts';
import { isEventStream } from '../stream-watch.ts';

/** A node request as the guard sees it. `originalUrl` is what Express keeps when a router strips its mount path. */
export function inboundOf(request: IncomingMessage & { originalUrl?: string }, peekBody: Inbound['peekBody'] = async () => undefined): Inbound {
  return {
    method: request.method ?? 'GET',
    target: pathOf(request.originalUrl ?? request.url ?? '/'),
    header: (name) => headerOf(request, name),
    peekBody,
  };
}

/** Sends an answer of the guard; a HEAD gets no body. */
export function send(answer: Answer, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(answer.status, { ...answer.headers });
  response.end(request.method === 'HEAD' ? undefined : (answer.body ?? undefined));
}

/**
 * Sees to it that the headers of an admission hold when the handler's headers go out, whatever it set meanwhile (RS-23), and that an event stream ends with the
 * access: as if the caller had hung up, which every handler has to expect.
 */
export function seal(response: ServerResponse, admission: Admission): void {
  const writeHead = response.writeHead.bind(response) as (status: number, message?: string) => ServerResponse;
  response.writeHead = function sealedWriteHead(status: number, ...rest: unknown[]) {
    const given = rest.find((argument) => typeof argument === 'object' && argument !== null);
    if (given) applyHeaders(response, given as OutgoingHttpHeaders | OutgoingHttpHeader[]);
    completeHeaders(admission, headersOf(response));
    // Of a caller who has hung up already 'close' is not told again.
    if (admission.watch && !response.destroyed && isEventStream(response.getHeader('content-type')))
      response.once(
        'close',
        admission.watch(() => response.destroy()),
      );
    return typeof rest[0] === 'string' ? writeHead(status, rest[0]) : writeHead(status);
  } as ServerResponse['writeHead'];
}

/** node keeps the first of several Authorization headers and drops the rest without a word: count them (RS-04). */
function headerOf(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  if (value === undefined) return null;
  if (name !== 'authorization') return Array.isArray(value) ? value.join(', ') : value;
  const raw = request.rawHeaders;
  const all = raw.flatMap((key, index) => (index % 2 === 0 && key.length === name.length && key.toLowerCase() === name ? (raw[index + 1] ?? []) : []));
  return all.join(', ');
}

/** A request target may be absolute (RFC 9112 §3.2.2); the authority in it is not ours to believe. */
function pathOf(target: string): string {
  return target.startsWith('/') ? target : target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '') || '/';
}

function headersOf(response: ServerResponse): MutableHeaders {
  const get = (name: string) => {
    const value = response.getHeader(name);
    return value === undefined ? null : String(value);
  };
  return { get, set: (name, value) => void response.setHeader(name, value) };
}

function applyHeaders(response: ServerResponse, given: OutgoingHttpHeaders | OutgoingHttpHeader[]): void {
  const pairs = Array.isArray(given) ? pairsOf(given) : Object.entries(given);
  for (const [name] of pairs) response.removeHeader(name);
  for (const [name, value] of pairs) {
    if (value !== undefined) response.appendHeader(name, typeof value === 'number' ? String(value) : value);
  }
}

/** `writeHead` takes both `[name, value, …]` and `[[name, value], …]`. */
function pairsOf(given: unknown[]): [string, string | string[]][] {
  const flat = given.every((item) => Array.isArray(item) && item.length === 2) ? given.flat() : given;
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[String(name), flat[index + 1] as string | string[]] as [string, string | string[]]] : []));
}
