/**
 * How long an access token may be, and how long one can become: known before anybody is asked and before anything is spent. Pure. Not here: making it (token/issue.ts).
 */
import { OAuthError } from '../errors.ts';

/** JWT-08: what fits in the header limits of every proxy. */
export const maxTokenLength = 4096;

/** An upper bound of what is not in {@link Named}: protected header, the other claims in base64url, and an RSA signature. */
const besidesLength = 950;

type Named = { issuer: string; clientId: string; resource: string; scope: readonly string[] };

/** Whether a token with all of `scope` fits. A chain of actors (RFC 8693) comes on top of it. @throws {OAuthError} invalid_scope */
export function checkTokenFits({ issuer, clientId, resource, scope }: Named): void {
  const named = new TextEncoder().encode(JSON.stringify([issuer, clientId, resource, scope.join(' ')])).length;
  if (besidesLength + Math.ceil((named * 4) / 3) > maxTokenLength) throw new OAuthError('invalid_scope', 'Too many scopes for one token');
}
