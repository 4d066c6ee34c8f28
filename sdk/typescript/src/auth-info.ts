/**
 * The shape in which the official MCP SDKs hand authentication to tools (`AuthInfo` of v1 and v2). Structural: neither SDK is imported.
 */
import { expandScopes, type ScopeClosure } from './scope.ts';
import type { AuthContext } from './verify.ts';

/** `AuthInfo` of `@modelcontextprotocol/sdk` and `@modelcontextprotocol/server`. */
export interface McpAuthInfo {
  /** SHA-256 of the token, not the token: passing the caller's token on is forbidden (RS-09), and a tool has no other use for it. */
  token: string;
  clientId: string;
  /** With everything the scope hierarchy includes, because the official checks compare literally. */
  scopes: string[];
  /** Epoch seconds; always there, the official checks demand it (RS-21). */
  expiresAt: number;
  resource: URL;
  /** `user` is the AuthContext. */
  extra: { user: AuthContext };
}

/**
 * Turns an AuthContext into what `handler.fetch(request, { authInfo })` and `req.auth` of the official SDKs expect.
 *
 * @example
 *     protect(options, (request, auth) => mcp.fetch(request, { authInfo: toAuthInfo(auth) }));
 */
export function toAuthInfo(auth: AuthContext, closure: ScopeClosure = new Map()): McpAuthInfo {
  return {
    token: auth.tokenHash,
    clientId: auth.clientId,
    scopes: expandScopes(auth.scopes, closure),
    expiresAt: auth.expiresAt,
    resource: new URL(auth.resource),
    extra: { user: auth },
  };
}
