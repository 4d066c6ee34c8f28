/**
 * The answer to the client: code or error, the state as it came, and `iss` exactly once (RFC 6749 §4.1.2, RFC 9207 §2, D2), in the query of the redirect URI
 * or as the fields of a form (OAuth 2.0 Form Post Response Mode §2). Pure. Not here: whether to send a browser there (authorize.ts, decision.ts).
 */
import { errorUri, type OAuthError } from '../errors.ts';

/** Where an answer goes: the redirect URI as it was sent, port and all (AZ-08), the state, and `form_post` if that was asked for. */
export type ReturnAddress = { redirectUri: string; state?: string; responseMode?: 'form_post' };
/** A redirect to `href`; with `fields`, a form that the browser posts to it. */
export type ClientAnswer = { href: string; fields?: Record<string, string> };

export function codeAnswer(address: ReturnAddress, code: string, issuer: string): ClientAnswer {
  return answer(address, { code, state: address.state, iss: issuer });
}

/** RFC 6749 §4.1.2.1. The description is a constant of ours: nothing of the request is in it (AZ-29). `root` is the issuer that has the page for each code. */
export function errorAnswer(address: ReturnAddress, error: OAuthError, { issuer, root }: { issuer: string; root: string }): ClientAnswer {
  const { code, message } = error;
  return answer(address, { error: code, error_description: message, error_uri: errorUri(root, code), state: address.state, iss: issuer });
}

function answer({ redirectUri, responseMode }: ReturnAddress, parameters: Record<string, string | undefined>): ClientAnswer {
  const given = Object.entries(parameters).filter((pair): pair is [string, string] => pair[1] !== undefined);
  if (responseMode === 'form_post') return { href: redirectUri, fields: Object.fromEntries(given) };
  return { href: withQuery(redirectUri, new URLSearchParams(given)) };
}

/** RFC 6749 §3.1.2: a query the URI already has "MUST be retained when adding additional query parameters". */
function withQuery(uri: string, query: URLSearchParams): string {
  const joint = !uri.includes('?') ? '?' : /[?&]$/.test(uri) ? '' : '&';
  return `${uri}${joint}${query}`;
}
