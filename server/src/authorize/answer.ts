/**
 * The answer to the client as a URL: code or error, the state as it came, and `iss` exactly once (RFC 6749 §4.1.2, RFC 9207 §2, D2). Pure.
 * Not here: whether to send a browser there (authorize.ts, decision.ts), form_post (a later version).
 */
import type { OAuthError } from '../errors.ts';

/** Where an answer goes: the redirect URI as it was sent, port and all (AZ-08), and the state. */
export type ReturnAddress = { redirectUri: string; state?: string };

export function codeAnswer({ redirectUri, state }: ReturnAddress, code: string, issuer: string): string {
  return withParameters(redirectUri, { code, state, iss: issuer });
}

/** RFC 6749 §4.1.2.1. The description is a constant of ours: nothing of the request is in it (AZ-29). */
export function errorAnswer({ redirectUri, state }: ReturnAddress, error: OAuthError, issuer: string): string {
  return withParameters(redirectUri, { error: error.code, error_description: error.message, state, iss: issuer });
}

/** RFC 6749 §3.1.2: a query the URI already has "MUST be retained when adding additional query parameters". */
function withParameters(uri: string, parameters: Record<string, string | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  const joint = !uri.includes('?') ? '?' : /[?&]$/.test(uri) ? '' : '&';
  return `${uri}${joint}${query}`;
}
