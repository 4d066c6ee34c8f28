/**
 * What every route of a kind shares: headers, CORS, methods, the size of bodies, and the JSON and page faces of errors. A handler returns an Answer, a
 * plain value; its headers are added here, so that no handler can forget one. Not here: which routes exist (server.ts), the redirect face (authorize/).
 */

import type { Context, Exchange } from './context.ts';
import { type ErrorCode, errorUri, OAuthError } from './errors.ts';
import { BodyCutOff, type HttpRequest } from './http-request.ts';
import { errorText, pageFrame } from './page-frame.ts';
import { pageLanguage } from './page-language.ts';
import { StorageUnavailable } from './storage/driver.ts';
import { errorPage } from './views/error-page.ts';

/**
 * The kinds of route, by who may read the answer from where (requirements §18):
 * `document` public and cacheable, any origin · `backchannel` no-store, any origin · `private` no-store, no CORS (introspection, management API, operations) · `page` for people, no CORS, framed by nobody,
 * cut off from whoever opened it · `popup` the same for what a client's window passes through on its way: it keeps its opener.
 */
export type Surface = 'document' | 'backchannel' | 'private' | 'page' | 'popup';

export type Answer = {
  status: number;
  /** JSON is given as text, so that constant documents are serialised once. */
  json?: string;
  html?: string;
  /** Any other body with its content type in `headers`. */
  text?: string;
  headers?: Record<string, string>;
  cookies?: string[];
};
export type Handler = (exchange: Exchange, context: Context) => Answer | Promise<Answer>;
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Route = {
  path: string;
  surface: Surface;
  methods: Partial<Record<Method, Handler>>;
  /** Answered even when the server sheds load, as are all documents: it costs nearly nothing, and others decide by it. */
  vital?: true;
  /** Others follow: it is the first thing that is refused when the server has too much to do. */
  begins?: true;
  /** The metadata member that advertises this route (RFC 8414 §2). Aliases have none. */
  endpoint?: string;
};

export const json = (body: unknown, status = 200, headers?: Record<string, string>): Answer => ({ status, json: JSON.stringify(body), headers });
export const page = (html: string, status = 200, cookies?: string[]): Answer => ({ status, html, cookies });
/** 303: the next request is a GET, so no form body ever travels on (RFC 9700 §4.12). */
export const redirect = (location: string, cookies?: string[]): Answer => ({ status: 303, headers: { Location: location }, cookies });
export const empty = (status: number): Answer => ({ status });

/** Whether people read the answers: their errors are pages too. */
export const isForPeople = (surface: Surface): boolean => surface === 'page' || surface === 'popup';

/** The content policy of a page whose forms go to `formAction` and nowhere else (LOG-09). */
export function contentPolicy(formAction: string): string {
  return `default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'; object-src 'none'`;
}

const everywhere = { 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' };
const anyOrigin = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy, DPoP-Nonce, X-Request-Id',
};
const forPeople = {
  ...everywhere,
  'Cache-Control': 'no-store',
  'Content-Security-Policy': contentPolicy("'self'"),
  'X-Frame-Options': 'DENY',
};
const surfaceHeaders: Record<Surface, Record<string, string>> = {
  document: { ...everywhere, ...anyOrigin, 'Cache-Control': 'public, max-age=600' },
  backchannel: { ...everywhere, ...anyOrigin, 'Cache-Control': 'no-store', Pragma: 'no-cache' },
  private: { ...everywhere, 'Cache-Control': 'no-store', Pragma: 'no-cache' },
  page: { ...forPeople, 'Cross-Origin-Opener-Policy': 'same-origin' },
  // One such answer on the way, a redirect too, and a web client's callback has no window.opener: the client believes its popup closed.
  popup: forPeople,
};
const hsts = { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' };

const preflight: Record<Surface, Record<string, string> | undefined> = {
  document: {
    ...anyOrigin,
    'Access-Control-Allow-Methods': 'GET, HEAD',
    'Access-Control-Allow-Headers': 'Accept, Authorization, Content-Type, MCP-Protocol-Version',
    'Access-Control-Max-Age': '86400',
  },
  backchannel: {
    ...anyOrigin,
    'Access-Control-Allow-Methods': 'GET, POST',
    'Access-Control-Allow-Headers': 'Authorization, Content-Type, DPoP, MCP-Protocol-Version',
    'Access-Control-Max-Age': '86400',
  },
  private: undefined,
  page: undefined,
  popup: undefined,
};

/** Headers of one surface, ready for this server: built once at start, so that a hot answer shares one object. */
export type SurfaceHeaders = { json: Record<string, string>; html: Record<string, string>; bare: Record<string, string> };
export function headersFor(surface: Surface, secure: boolean): SurfaceHeaders {
  const bare = { ...surfaceHeaders[surface], ...(secure ? hsts : {}) };
  return { bare, json: { ...bare, 'Content-Type': 'application/json' }, html: { ...bare, 'Content-Type': 'text/html; charset=utf-8' } };
}

/** What goes on the wire: status, headers and body as plain values, so that a runtime can write them without a Response in between. */
export type Reply = { status: number; headers: Readonly<Record<string, string>>; cookies?: readonly string[]; body: string | null };

/** Completes an answer with the headers of its surface. */
export function reply(answer: Answer, headers: SurfaceHeaders): Reply {
  const body = answer.json ?? answer.html ?? answer.text ?? null;
  const base = answer.json !== undefined ? headers.json : answer.html !== undefined ? headers.html : headers.bare;
  return { status: answer.status, headers: answer.headers ? { ...base, ...answer.headers } : base, cookies: answer.cookies, body };
}

/** The reply as a Response, for every runtime that speaks fetch. */
export function toResponse({ status, headers, cookies, body }: Reply): Response {
  const response = new Response(body, { status, headers });
  for (const cookie of cookies ?? []) response.headers.append('Set-Cookie', cookie);
  return response;
}

/** Looks on while a request is answered by the route of this path, or by none; the answer is the same. Afterwards the exchange says what it turned out to be. */
export type Observer = (exchange: Exchange, route: string | undefined, answer: () => Reply | Promise<Reply>) => Reply | Promise<Reply>;

/** Runs routes under the eyes of an observer. */
export function observed(observe: Observer): typeof run {
  return (route, exchange, context, surfaces) => observe(exchange, route.path, () => run(route, exchange, context, surfaces));
}

/** Runs a route for one request: method check, preflight, handler, and the faces of what it throws. At once where the handler answers at once. */
export function run(route: Route, exchange: Exchange, context: Context, surfaces: Readonly<Record<Surface, SurfaceHeaders>>): Reply | Promise<Reply> {
  const { method } = exchange.request;
  const handler = route.methods[(method === 'HEAD' ? 'GET' : method) as Method];
  const headers = surfaces[route.surface];
  exchange.route = route.path;
  const failed = (error: unknown) => refuse(error, route, { exchange, context, surfaces });
  try {
    const answer = handler ? handler(exchange, context) : withoutHandler(route, method);
    return answer instanceof Promise
      ? answer.then((later) => reply(spoken(later, exchange, context), headers)).catch(failed)
      : reply(spoken(answer, exchange, context), headers);
  } catch (error) {
    return failed(error);
  }
}

type Place = { exchange: Exchange; context: Context; surfaces: Readonly<Record<Surface, SurfaceHeaders>> };

/** The face of an error where a route is asked for: a page for people, JSON for machines. */
export function refuse(error: unknown, route: Route, { exchange, context, surfaces }: Place): Reply {
  exchange.route = route.path;
  const face = wantsPage(route, exchange.request) ? pageFace : jsonFace;
  const surface = isForPeople(route.surface) || face === jsonFace ? route.surface : 'page';
  return reply(face(error, exchange, context), surfaces[surface]);
}

/** Whether an error is read by a person: where pages are, unless the same was asked for as JSON, and wherever a person went. */
export function wantsPage({ surface }: Pick<Route, 'surface'>, request: HttpRequest): boolean {
  return (isForPeople(surface) || isNavigation(request)) && !asksForJson(request);
}

function asksForJson({ headers }: HttpRequest): boolean {
  const accept = headers.get('accept') ?? '';
  return accept.includes('application/json') && !accept.includes('text/html');
}

/** A person who opened the address of a machine: no script and no client can send this header (Fetch Metadata). */
function isNavigation({ method, headers }: HttpRequest): boolean {
  return method === 'GET' && headers.get('sec-fetch-mode') === 'navigate';
}

/** Says in which language a page is. */
function spoken(answer: Answer, exchange: Exchange, context: Context): Answer {
  if (answer.html === undefined) return answer;
  return { ...answer, headers: { 'Content-Language': pageLanguage(exchange, context), Vary: 'Accept-Language', ...answer.headers } };
}

function withoutHandler(route: Route, method: string): Answer {
  const allowed = Object.keys(route.methods).flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]));
  const cors = preflight[route.surface];
  if (method === 'OPTIONS' && cors) return { status: 204, headers: { ...cors, 'Access-Control-Allow-Methods': allowed.join(', ') } };
  throw new OAuthError('method_not_allowed', 'This address does not take this method', {
    headers: { Allow: [...allowed, ...(cors ? ['OPTIONS'] : [])].join(', ') },
  });
}

/** Turns whatever was thrown into an OAuthError; only unknown failures reach the log as errors. */
function asOAuthError(error: unknown, exchange: Exchange, context: Context): OAuthError {
  // Not the path that was asked for: people paste secrets into addresses.
  const fields = { request_id: exchange.requestId, route: exchange.route };
  if (error instanceof OAuthError) {
    if (error.logged) return error;
    if (error.status >= 500) context.log.error('request.failed', { ...fields, code: error.code }, error);
    else
      context.log.info('request.refused', {
        ...fields,
        code: error.code,
        reason: error.message,
        cause: error.cause === undefined ? undefined : String(error.cause),
      });
    return error;
  }
  if (error instanceof BodyCutOff) {
    context.log.info('request.cut_off', fields);
    return new OAuthError('invalid_request', 'The body ended early');
  }
  if (error instanceof StorageUnavailable) {
    context.log.error('storage.unavailable', fields, error);
    return new OAuthError('temporarily_unavailable', 'The service is briefly unavailable', { headers: { 'Retry-After': '2' } });
  }
  context.log.error('request.failed', fields, error);
  return new OAuthError('server_error', 'Something broke on our side');
}

/** Codes of ours that say more than the registered one under which they travel; `code` beside it names them. */
const spokenAs: Partial<Record<ErrorCode, ErrorCode>> = { key_id_used_as_secret: 'invalid_client', delegation_not_approved: 'invalid_target' };

/** RFC 6749 §5.2 with error_uri and a request id. */
export function jsonFace(thrown: unknown, exchange: Exchange, context: Context): Answer {
  const error = asOAuthError(thrown, exchange, context);
  exchange.outcome = error.code;
  const code = spokenAs[error.code] ?? error.code;
  const body = { error: code, error_description: error.message, error_uri: errorUri(context.options.issuer, error.code), ...error.members };
  return json(body, error.status, { ...error.headers, 'Cache-Control': 'no-store', 'X-Request-Id': exchange.requestId });
}

/** The page a person sees; the same content as JSON where that was asked for. */
export function pageFace(thrown: unknown, exchange: Exchange, context: Context): Answer {
  if (asksForJson(exchange.request)) return jsonFace(thrown, exchange, context);
  const error = asOAuthError(thrown, exchange, context);
  exchange.outcome = error.code;
  // A page whose form goes to a client has a content policy that holds back the forms of ours.
  const frame = error.page?.continueTo?.fields ? pageFrame(exchange, context, null) : pageFrame(exchange, context);
  const answer = {
    status: error.status,
    html: errorPage(frame, errorText(error, exchange, frame)),
    headers: { ...error.headers, 'X-Request-Id': exchange.requestId },
  };
  return spoken(answer, exchange, context);
}
