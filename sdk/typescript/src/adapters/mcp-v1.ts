/**
 * For the official MCP SDK v1 with Express: a token verifier for `requireBearerAuth` of `@modelcontextprotocol/sdk`.
 * The official check knows no 503: during an outage it answers 500. `requireAuth` of the express adapter answers 503 and sets `req.auth` as well.
 */
import { InvalidTokenError, ServerError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import type { OAuthTokenVerifier } from '@modelcontextprotocol/sdk/server/auth/provider.js';
import { AuthenticationError } from '../errors.ts';
import { createVerifier, type McpVerifier, type VerifierOptions } from './verifier.ts';

/**
 * Makes a verifier for the official SDK v1. Pass its `resourceMetadataUrl` on too, so that challenges say where to sign in.
 *
 * @throws {TypeError} naming the option that is missing or wrong, or that only something that sees the request can keep.
 * @example
 *     const verifier = mcpTokenVerifier({ serverId: 'srv_abc123', apiKey });
 *     app.use(requireBearerAuth({ verifier, requiredScopes: ['files:read'], resourceMetadataUrl: verifier.resourceMetadataUrl }));
 */
export function mcpTokenVerifier(options: VerifierOptions): McpVerifier & OAuthTokenVerifier {
  return createVerifier(options, (error) =>
    error instanceof AuthenticationError ? new InvalidTokenError(error.message) : new ServerError('The authorization server cannot be reached'),
  );
}
