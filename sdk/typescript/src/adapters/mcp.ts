/**
 * For the official MCP SDK v2: a token verifier for `requireBearerAuth` of `@modelcontextprotocol/server` and its adapters.
 * The official check knows no 503: during an outage it answers 500. `protect` of the fetch adapter with `toAuthInfo` answers 503.
 */
import { OAuthError, OAuthErrorCode, type OAuthTokenVerifier } from '@modelcontextprotocol/server';
import { AuthenticationError } from '../errors.ts';
import { createVerifier, type McpVerifier, type VerifierOptions } from './verifier.ts';

export { type McpAuthInfo, toAuthInfo } from '../auth-info.ts';

/**
 * Makes a verifier for the official SDK v2. Pass its `resourceMetadataUrl` on too, so that challenges say where to sign in.
 *
 * @throws {TypeError} naming the option that is missing or wrong, or that only something that sees the request can keep.
 * @example
 *     const verifier = mcpTokenVerifier({ serverId: 'srv_abc123', apiKey });
 *     const gate = requireBearerAuth({ verifier, requiredScopes: ['files:read'], resourceMetadataUrl: verifier.resourceMetadataUrl });
 */
export function mcpTokenVerifier(options: VerifierOptions): McpVerifier & OAuthTokenVerifier {
  return createVerifier(options, (error) =>
    error instanceof AuthenticationError
      ? new OAuthError(OAuthErrorCode.InvalidToken, error.message)
      : new OAuthError(OAuthErrorCode.ServerError, 'The authorization server cannot be reached'),
  );
}
