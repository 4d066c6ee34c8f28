/**
 * Browsers: which origins may call the MCP endpoint, and the CORS headers they need (CORS-08, CORS-09). A page that rebinds its name to our address still
 * sends its own Origin, so an unknown one is refused. Clients that are no browsers send none and pass.
 */
import { type Answer, jsonAnswer } from './challenge.ts';
import type { Settings } from './options.ts';
import { isLoopbackHost } from './resource.ts';

/** Headers a browser client may send to an MCP endpoint. */
const requestHeaders = 'Authorization, Content-Type, Accept, DPoP, MCP-Protocol-Version, Mcp-Session-Id, Last-Event-ID, Mcp-Method, Mcp-Name';
const methods = 'GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS';

/** Whether configuration alone admits the origin. `null`, the origin of sandboxed pages and files, never is. */
export function isAllowedOrigin(origin: string, settings: Pick<Settings, 'allowedOrigins' | 'loopbackOrigins'>): boolean {
  if (settings.allowedOrigins === '*' || settings.allowedOrigins.has(origin)) return true;
  return settings.loopbackOrigins && URL.canParse(origin) && new URL(origin).origin === origin && isLoopbackHost(new URL(origin).hostname);
}

/** Headers of every answer to a browser, refusals among them: otherwise its script cannot read the challenge. */
export function corsHeaders(origin: string | null, { allowedOrigins }: Pick<Settings, 'allowedOrigins'>): Readonly<Record<string, string>> {
  if (origin === null) return {};
  return {
    'Access-Control-Allow-Origin': allowedOrigins === '*' ? '*' : origin,
    'Access-Control-Expose-Headers': 'WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id, Retry-After',
    Vary: 'Origin',
  };
}

/** Answers OPTIONS, so that a preflight is never 401 and no handler ever sees a request that nobody checked. */
export function optionsAnswer(origin: string | null): Answer {
  if (origin === null) return { status: 204, headers: { Allow: methods }, body: null };
  const preflight = { 'Access-Control-Allow-Methods': methods, 'Access-Control-Allow-Headers': requestHeaders, 'Access-Control-Max-Age': '600' };
  return { status: 204, headers: { Allow: methods, ...preflight }, body: null };
}

/** Refuses an origin. Says which option admits it, and does not repeat it. */
export function originRefused(): Answer {
  return jsonAnswer(403, { error: 'origin_not_allowed', error_description: 'This Origin is not in the "allowedOrigins" of the MCP server' });
}
