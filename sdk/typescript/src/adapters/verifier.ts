/**
 * What the verifiers for both official MCP SDKs have in common; they differ only in the errors their SDK understands.
 */
import { type McpAuthInfo, toAuthInfo } from '../auth-info.ts';
import { AuthAgentClient } from '../client.ts';
import { AuthAgentError } from '../errors.ts';
import { metadataUrl } from '../metadata.ts';
import type { AuthAgentOptions } from '../options.ts';
import { checkSignIn } from '../sign-in.ts';

/** A token verifier with the address that belongs into its challenges. */
export interface McpVerifier {
  verifyAccessToken(token: string): Promise<McpAuthInfo>;
  readonly resourceMetadataUrl: string;
}

/** Options without those that only something that sees the request can keep. */
export type VerifierOptions = AuthAgentOptions & {
  readonly requiredScopes?: never;
  readonly toolScopes?: never;
  readonly publicPaths?: never;
  readonly allowedOrigins?: never;
};

const ofRequests = ['toolScopes', 'publicPaths', 'allowedOrigins'] as const;

/** Makes a verifier whose refusals are translated by `translate`. Scopes are left to the official check. */
export function createVerifier(options: VerifierOptions, translate: (error: AuthAgentError) => Error): McpVerifier {
  if (options.requiredScopes !== undefined) throw new TypeError('"requiredScopes" belongs to requireBearerAuth: a verifier checks no scopes');
  for (const option of ofRequests) {
    if (options[option] !== undefined) throw new TypeError(`"${option}" needs the adapter of your framework: a verifier sees no request`);
  }
  const client = new AuthAgentClient(options);
  return {
    // A verifier serves no document: that of the authorization server is always there, also when "resource" is given.
    resourceMetadataUrl: metadataUrl({ ...client.settings, resource: undefined }),
    async verifyAccessToken(token) {
      try {
        const auth = await client.validateToken(token);
        checkSignIn(auth, client.settings.signIn, client.settings.now());
        return toAuthInfo(auth, client.settings.closure);
      } catch (error) {
        throw error instanceof AuthAgentError ? translate(error) : error;
      }
    },
  };
}
