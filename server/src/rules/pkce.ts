/**
 * Proof Key for Code Exchange (RFC 7636), S256 only: `plain` proves nothing to whoever can read the request.
 */
import { equalSecrets, sha256 } from '../crypto/hash.ts';
import { OAuthError } from '../errors.ts';

/** OAuth 2.1 §4.1.1: code_challenge is required; an absent method would mean `plain`, which is refused. @throws {OAuthError} invalid_request */
export function checkChallenge(challenge: string | undefined, method: string | undefined): string {
  if (challenge === undefined) throw new OAuthError('invalid_request', 'code_challenge is required');
  if (method !== 'S256') throw new OAuthError('invalid_request', 'code_challenge_method must be S256');
  if (!/^[A-Za-z0-9_-]{43}$/.test(challenge)) throw new OAuthError('invalid_request', 'code_challenge must be 43 characters of base64url');
  return challenge;
}

/** RFC 7636 §4.6. @throws {OAuthError} invalid_grant with the text that contracts §2 promises. */
export function checkVerifier(verifier: string | undefined, challenge: string): void {
  if (verifier === undefined) throw new OAuthError('invalid_grant', 'code_verifier is required');
  if (!/^[A-Za-z0-9._~-]{43,128}$/.test(verifier) || !equalSecrets(sha256(verifier), challenge)) throw new OAuthError('invalid_grant', 'Invalid PKCE verifier');
}
