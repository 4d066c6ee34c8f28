/**
 * The cookies of the server: what they are called, read and written. Off loopback they carry the `__Host-` prefix, so that no other host and no http
 * page can plant them; each tenant has its own names, because all tenants share one origin (RFC 6265bis §4.1.3.2, LOG-01).
 */

import type { Context } from '../context.ts';
import type { HttpRequest } from '../http-request.ts';

/** `accounts`: the sessions of others who are signed in in this browser as well. `pending`: a sign-in between its two steps. */
export type CookieKind = 'browser' | 'session' | 'pending' | 'accounts';

/** `__Host-aa_session`, on http loopback `aa_session`, of a tenant `__Host-aa_session_acme`. */
function cookieName(kind: CookieKind, context: Context): string {
  const tenant = context.base === '' ? '' : `_${context.base.slice('/t/'.length)}`;
  return `${isSecure(context) ? '__Host-' : ''}aa_${kind}${tenant}`;
}

/** Ids are short; a sign-in between its two steps is carried whole. */
const longest = { browser: 64, session: 64, pending: 2048 };
const isId = (value: string, most: number): boolean => /^[A-Za-z0-9_-]{22,}$/.test(value) && value.length <= most;

/** The value, if it is one that we could have made: 128 or more bits in base64url. */
export function readCookie(kind: Exclude<CookieKind, 'accounts'>, request: HttpRequest, context: Context): string | undefined {
  const value = cookieValue(kind, request, context);
  return value !== undefined && isId(value, longest[kind]) ? value : undefined;
}

/** The values of the cookie that holds several, each once. */
export function readCookieList(kind: 'accounts', request: HttpRequest, context: Context): string[] {
  const values = (cookieValue(kind, request, context) ?? '').split('.');
  return [...new Set(values.filter((value) => isId(value, 64)))];
}

function cookieValue(kind: CookieKind, request: HttpRequest, context: Context): string | undefined {
  const prefix = `${cookieName(kind, context)}=`;
  for (const pair of (request.headers.get('cookie') ?? '').split(';')) {
    const text = pair.trim();
    if (text.startsWith(prefix)) return text.slice(prefix.length);
  }
  return undefined;
}

/** A `Set-Cookie` value. Without `maxAge` (seconds) the cookie goes when the browser closes; with 0 it goes now. */
export function writeCookie(kind: CookieKind, value: string, context: Context, maxAge?: number): string {
  const age = maxAge === undefined ? '' : `; Max-Age=${maxAge}`;
  return `${cookieName(kind, context)}=${value}; Path=/; HttpOnly; SameSite=Lax${isSecure(context) ? '; Secure' : ''}${age}`;
}

function isSecure(context: Context): boolean {
  return context.options.issuer.startsWith('https:');
}
