/**
 * For anything that is a `(Request) => Response`: Workers, Deno, Bun, and handlers like the official MCP SDK's.
 */
import { createGuard, isAnswer } from '../guard.ts';
import type { AuthAgentOptions } from '../options.ts';
import type { AuthContext } from '../verify.ts';
import { inboundOf, seal, toResponse } from './web.ts';

/** Options of adapters whose handler always gets an AuthContext: no public paths. */
export type ProtectOptions = AuthAgentOptions & { readonly publicPaths?: never };

/** A handler that is called for authorised requests only; `rest` is what the runtime passes beside the request. */
export type ProtectedHandler<Rest extends unknown[]> = (request: Request, auth: AuthContext, ...rest: Rest) => Response | Promise<Response>;

/**
 * Puts a handler behind the guard. Errors of this library that the handler throws become their challenge.
 *
 * @throws {TypeError} naming the option that is missing or wrong.
 * @example
 *     const handle = protect({ serverId: 'srv_abc123', apiKey, requiredScopes: ['files:read'] }, (request, auth) => Response.json({ you: auth.id }));
 */
export function protect<Rest extends unknown[] = []>(
  options: ProtectOptions,
  handler: ProtectedHandler<Rest>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  if (options.publicPaths !== undefined) throw new TypeError('"publicPaths" needs the hono or express adapter: here the handler always gets an AuthContext');
  const guard = createGuard(options);
  return async function protectedHandler(request, ...rest) {
    const outcome = await guard.admit(inboundOf(request));
    if (isAnswer(outcome)) return toResponse(outcome, request.method);
    try {
      return seal(await handler(request, outcome.auth as AuthContext, ...rest), outcome);
    } catch (error) {
      const answer = guard.answerError(error);
      if (!answer) throw error;
      return seal(toResponse(answer, request.method), outcome);
    }
  };
}
