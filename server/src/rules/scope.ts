/**
 * Scope values (RFC 6749 §3.3): space-separated, case-sensitive tokens in which order means nothing.
 */
import { OAuthError } from '../errors.ts';

/** The scopes of the authorization server's own resource: OpenID claims and refresh (contracts §7.4). */
export const identityScopes = ['openid', 'profile', 'email', 'offline_access'];

/** Splits a scope parameter; several spaces count as one, repeats are dropped. @throws {OAuthError} invalid_scope outside NQCHAR. */
export function parseScope(value: string | undefined): string[] {
  if (value === undefined) return [];
  const tokens = value.split(' ').filter((token) => token !== '');
  if (tokens.some((token) => !isScopeToken(token))) throw new OAuthError('invalid_scope', 'The scope has a character that scopes may not have');
  return [...new Set(tokens)];
}

/** As long as a token may be: nobody gets one that says more, and nobody's request is worth keeping more of. */
const longest = 4096;

/** The scope that a request asks for. @throws {OAuthError} invalid_scope also when it is longer than any token */
export function askedScope(value: string | undefined): string[] {
  if (value !== undefined && value.length > longest) throw new OAuthError('invalid_scope', 'The scope is longer than 4096 characters');
  return parseScope(value);
}

/** scope-token = 1*( %x21 / %x23-5B / %x5D-7E ) */
export function isScopeToken(token: string): boolean {
  return /^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/.test(token);
}

/** Whether every scope of `part` is in `whole`. */
export function isSubset(part: readonly string[], whole: readonly string[]): boolean {
  return part.every((scope) => whole.includes(scope));
}
