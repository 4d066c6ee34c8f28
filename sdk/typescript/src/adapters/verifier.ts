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

/** Makes a verifier whose refusals are translated by `translate`. Scopes are left to the official check. */
export function createVerifier(options: AuthAgentOptions, translate: (error: AuthAgentError) => Error): McpVerifier {
  const client = new AuthAgentClient(options);
  return {
    resourceMetadataUrl: metadataUrl(client.settings),
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
