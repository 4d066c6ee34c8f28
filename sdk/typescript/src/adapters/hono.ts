/**
 * For Hono. `app.use('*', authAgentMiddleware({…}))` guards everything behind it and serves the metadata document; `requireScope` asks for more on a route.
 * Only types of Hono are used: the middleware runs wherever Hono does.
 */
import type { Context, MiddlewareHandler } from 'hono';
import { AuthAgentClient } from '../client.ts';
import { AuthenticationError } from '../errors.ts';
import { createGuard, type Guard, isAnswer } from '../guard.ts';
import { isMetadataTarget, metadataAnswer } from '../metadata.ts';
import { type AuthAgentOptions, checkRequirement } from '../options.ts';
import type { Call } from '../report.ts';
import type { ScopeRequirement } from '../scope.ts';
import type { AuthContext } from '../verify.ts';
import { inboundOf, peekText, seal, toResponse } from './web.ts';

declare module 'hono' {
  interface ContextVariableMap {
    /** On whose behalf the request comes; set by `authAgentMiddleware`. */
    user: AuthContext;
    /** The guard the request passed, for `requireScope` further in. @internal */
    authAgentGuard?: Guard;
    /** What the request called. @internal */
    authAgentCall?: Call;
  }
}

/**
 * Lets only requests with a good access token through and sets `c.get('user')`. Errors of this library that a handler throws become their challenge.
 *
 * @throws {TypeError} naming the option that is missing or wrong.
 * @example
 *     app.use('*', authAgentMiddleware({ serverId: 'srv_abc123', apiKey: 'sk_xyz789', requiredScopes: ['files:read'] }));
 */
export function authAgentMiddleware(options: AuthAgentOptions): MiddlewareHandler {
  const guard = createGuard(options);
  return async function authAgent(c, next) {
    const outcome = await guard.admit(inboundOf(c.req.raw, () => peekBody(c)));
    if (isAnswer(outcome)) return toResponse(outcome, c.req.method);
    c.set('authAgentGuard', guard);
    if (outcome.call) c.set('authAgentCall', outcome.call);
    if (outcome.auth) c.set('user', outcome.auth);
    await next();
    // A 500 is Hono's own answer to a thrown error; anything else an `onError` of the app chose.
    const thrown = c.res.status === 500 ? guard.answerError(c.error) : undefined;
    const response = thrown ? toResponse(thrown, c.req.method) : c.res;
    const sealed = seal(response, outcome);
    if (sealed !== c.res) replaceResponse(c, sealed);
    return undefined;
  };
}

/**
 * Asks for these scopes on a route, all of them, on top of the middleware's `requiredScopes`.
 *
 * @throws {TypeError} on anything that is no scope.
 * @example
 *     app.post('/api/files', requireScope('files:write'), (c) => c.json({ by: c.get('user').id }));
 */
export function requireScope(...scopes: readonly [string, ...string[]]): MiddlewareHandler {
  return scopeGate(checkRequirement('requireScope', scopes));
}

/** Asks for at least one of these scopes on a route. Put the least powerful first: the challenge asks for that one. @throws {TypeError} on anything that is no scope. */
export function requireAnyScope(...scopes: readonly [string, ...string[]]): MiddlewareHandler {
  return scopeGate(checkRequirement('requireAnyScope', { anyOf: scopes }));
}

/**
 * Serves the metadata documents alone, for apps that guard only part of their paths or several MCP servers on one host.
 *
 * @throws {TypeError} naming the option that is missing or wrong.
 */
export function protectedResourceMetadata(...servers: readonly [AuthAgentOptions, ...AuthAgentOptions[]]): MiddlewareHandler {
  const clients = servers.map((options) => new AuthAgentClient(options));
  return async function protectedResourceMetadata(c, next) {
    const { target } = inboundOf(c.req.raw);
    if (!isMetadataTarget(target)) return next();
    return toResponse(await metadataAnswer({ method: c.req.method, target }, clients), c.req.method);
  };
}

function scopeGate(requirement: ScopeRequirement): MiddlewareHandler {
  return async function scopes(c, next) {
    const guard = c.get('authAgentGuard');
    if (!guard) throw new TypeError('requireScope and requireAnyScope must run behind authAgentMiddleware');
    const auth: AuthContext | undefined = c.get('user');
    // A public path has nobody to have scopes.
    const refusal = auth ? guard.refuseScopes(auth, requirement, c.get('authAgentCall')) : guard.answerError(new AuthenticationError('missing_token'));
    return refusal ? toResponse(refusal, c.req.method) : next();
  };
}

/** A middleware before us may have read the body; Hono then keeps the text. */
function peekBody(c: Context): Promise<string | object | undefined> {
  return c.req.raw.bodyUsed ? c.req.text() : peekText(c.req.raw);
}

/** Assigning `c.res` merges the old headers into the new response; clearing it first does not. */
function replaceResponse(c: Context, response: Response): void {
  c.res = undefined;
  c.res = response;
}
