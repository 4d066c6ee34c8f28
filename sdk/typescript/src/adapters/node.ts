/**
 * For node:http: `createServer(protect(options, (request, response, auth) => …))`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createGuard, isAnswer } from '../guard.ts';
import type { AuthContext } from '../verify.ts';
import type { ProtectOptions } from './fetch.ts';
import { inboundOf, seal, send } from './incoming.ts';

/** Without per-tool scopes: reading the body here would take it from the listener. */
export type NodeProtectOptions = ProtectOptions & { readonly toolScopes?: never };

/** Called for authorised requests only. */
export type ProtectedListener = (request: IncomingMessage, response: ServerResponse, auth: AuthContext) => void | Promise<void>;

/**
 * Puts a request listener behind the guard. A form body is not searched for a second token.
 *
 * @throws {TypeError} naming the option that is missing or wrong.
 * @example
 *     createServer(protect({ serverId: 'srv_abc123', apiKey }, (request, response, auth) => response.end(auth.id)));
 */
export function protect(options: NodeProtectOptions, listener: ProtectedListener): (request: IncomingMessage, response: ServerResponse) => void {
  for (const option of ['toolScopes', 'publicPaths']) {
    if (option in options) throw new TypeError(`"${option}" needs the hono or express adapter`);
  }
  const guard = createGuard(options);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const outcome = await guard.admit(inboundOf(request));
    if (isAnswer(outcome)) return send(outcome, request, response);
    seal(response, outcome);
    try {
      await listener(request, response, outcome.auth as AuthContext);
    } catch (error) {
      const answer = guard.answerError(error);
      if (!answer || response.headersSent) throw error;
      send(answer, request, response);
    }
  }

  return function protectedListener(request, response) {
    handle(request, response).catch((error: unknown) => {
      guard.client.settings.hint(`the listener failed: ${String(error)}`);
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { 'Content-Type': 'application/json' }).end('{"error":"server_error"}');
    });
  };
}
