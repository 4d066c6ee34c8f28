/**
 * For Express 4 and 5 and other `(request, response, next)` frameworks: `requireAuth`, `requireScope`, `requireAnyScope`, `protectedResourceMetadata`.
 * Structural types: Express itself is not imported.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type McpAuthInfo, toAuthInfo } from '../auth-info.ts';
import { AuthAgentClient } from '../client.ts';
import { AuthAgentError, AuthenticationError } from '../errors.ts';
import { createGuard, type Guard, isAnswer } from '../guard.ts';
import { isMetadataTarget, metadataAnswer } from '../metadata.ts';
import { type AuthAgentOptions, checkRequirement } from '../options.ts';
import type { Call } from '../report.ts';
import type { ScopeRequirement } from '../scope.ts';
import type { AuthContext } from '../verify.ts';
import { inboundOf, seal, send } from './incoming.ts';

declare global {
  // Where the types of Express look for additions to its Request.
  namespace Express {
    interface Request {
      /** On whose behalf the request comes; set by `requireAuth`. */
      user?: AuthContext;
    }
  }
}

/** Where a request carries the guard it passed, for `requireScope` further in. */
const passed: unique symbol = Symbol('auth-agent guard');
/** Where it carries what was called. */
const called: unique symbol = Symbol('auth-agent call');

/** The parts of an Express request that are read. Nothing that is set: the official MCP SDK v1 declares `auth`, Passport `user`, with types of their own. */
type PlainRequest = IncomingMessage & { originalUrl?: string; body?: unknown };

/** An Express request as it is behind `requireAuth`. `auth` is what the official MCP SDK v1 hands to tools. */
export type ExpressRequest = PlainRequest & {
  user?: AuthContext;
  auth?: McpAuthInfo;
  [passed]?: Guard;
  [called]?: Call;
};

/** An Express middleware. */
export type ExpressMiddleware = (request: PlainRequest, response: ServerResponse, next: (error?: unknown) => void) => void;

/**
 * Lets only requests with a good access token through and sets `req.user`, and `req.auth` for the official MCP SDK. With `toolScopes`, put
 * `express.json()` before it.
 *
 * @throws {TypeError} naming the option that is missing or wrong.
 * @example
 *     app.use(requireAuth({ serverId: 'srv_abc123', apiKey, requiredScopes: ['tasks:read'] }));
 *     app.post('/api/tasks', requireScope('tasks:write'), createTask);
 */
export function requireAuth(options: AuthAgentOptions): ExpressMiddleware {
  const guard = createGuard(options);
  async function admit(request: ExpressRequest, response: ServerResponse): Promise<boolean> {
    const outcome = await guard.admit(inboundOf(request, () => parsedBody(request, guard)));
    if (isAnswer(outcome)) {
      send(outcome, request, response);
      return false;
    }
    // Unseen, so that a request that is printed shows neither guard nor token.
    Object.defineProperties(request, { [passed]: { value: guard, configurable: true }, [called]: { value: outcome.call, configurable: true } });
    if (outcome.auth) identify(request, outcome.auth, guard);
    seal(response, outcome);
    return true;
  }
  return function authAgent(request: ExpressRequest, response, next) {
    admit(request, response).then((passes) => passes && next(), next);
  };
}

/** Asks for these scopes on a route, all of them, on top of `requiredScopes`. @throws {TypeError} on anything that is no scope. */
export function requireScope(...scopes: readonly [string, ...string[]]): ExpressMiddleware {
  return scopeGate(checkRequirement('requireScope', scopes));
}

/** Asks for at least one of these scopes on a route. Put the least powerful first: the challenge asks for that one. @throws {TypeError} on anything that is no scope. */
export function requireAnyScope(...scopes: readonly [string, ...string[]]): ExpressMiddleware {
  return scopeGate(checkRequirement('requireAnyScope', { anyOf: scopes }));
}

/** Serves the metadata documents alone: mount it at the root when `requireAuth` is mounted deeper. @throws {TypeError} naming the option that is missing or wrong. */
export function protectedResourceMetadata(...servers: readonly [AuthAgentOptions, ...AuthAgentOptions[]]): ExpressMiddleware {
  const clients = servers.map((options) => new AuthAgentClient(options));
  return function protectedResourceMetadata(request, response, next) {
    const { method, target } = inboundOf(request);
    if (!isMetadataTarget(target)) return next();
    metadataAnswer({ method, target }, clients).then((answer) => send(answer, request, response), next);
  };
}

/**
 * Turns errors of this library that handlers throw into their challenge. Mount it last.
 *
 * @example
 *     app.use(authErrors());
 */
export function authErrors(): (error: unknown, request: PlainRequest, response: ServerResponse, next: (error?: unknown) => void) => void {
  return function authErrors(error, request: ExpressRequest, response, next) {
    const answer = error instanceof AuthAgentError && !response.headersSent ? request[passed]?.answerError(error) : undefined;
    if (answer) send(answer, request, response);
    else next(error);
  };
}

function scopeGate(requirement: ScopeRequirement): ExpressMiddleware {
  return function scopes(request: ExpressRequest, response, next) {
    const guard = request[passed];
    if (!guard) return next(new TypeError('requireScope and requireAnyScope must run behind requireAuth'));
    // A public path has nobody to have scopes.
    const refusal = request.user ? guard.refuseScopes(request.user, requirement, request[called]) : guard.answerError(new AuthenticationError('missing_token'));
    if (refusal) send(refusal, request, response);
    else next();
  };
}

function identify(request: ExpressRequest, auth: AuthContext, guard: Guard): void {
  request.user = auth;
  request.auth = toAuthInfo(auth, guard.client.settings.closure);
}

/** Fails closed: without a parsed body nobody knows which tool is called. */
async function parsedBody(request: ExpressRequest, guard: Guard): Promise<object | undefined> {
  const bytes = ArrayBuffer.isView(request.body);
  if (typeof request.body === 'object' && request.body !== null && !bytes) return request.body;
  const hasBody = bytes || request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  if (guard.client.settings.toolScopes.size === 0 || !hasBody) return undefined;
  throw new TypeError('put express.json() before requireAuth: "toolScopes" are decided from the parsed body');
}
