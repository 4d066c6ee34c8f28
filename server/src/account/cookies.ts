/**
 * The cookies of the server: what they are called, read and written. Off loopback they carry the `__Host-` prefix, so that no other host and no http
 * page can plant them; each tenant has its own names, because all tenants share one origin (RFC 6265bis §4.1.3.2, LOG-01).
 */

import type { Context } from '../context.ts';
import type { HttpRequest } from '../http-request.ts';

export type CookieKind = 'browser' | 'session' | 'pending';

/** `__Host-aa_session`, on http loopback `aa_session`, of a tenant `__Host-aa_session_acme`. */
function cookieName(kind: CookieKind, context: Context): string {
  const tenant = context.base === '' ? '' : `_${context.base.slice('/t/'.length)}`;
  return `${isSecure(context) ? '__Host-' : ''}aa_${kind}${tenant}`;
}

/** Ids are short; a sign-in between its two steps is carried whole. */
const longest: Record<CookieKind, number> = { browser: 64, session: 64, pending: 2048 };

/** The value, if it is one that we could have made: 128 or more bits in base64url. */
export function readCookie(kind: CookieKind, request: HttpRequest, context: Context): string | undefined {
  const prefix = `${cookieName(kind, context)}=`;
  for (const pair of (request.headers.get('cookie') ?? '').split(';')) {
    const text = pair.trim();
    if (!text.startsWith(prefix)) continue;
    const value = text.slice(prefix.length);
    return /^[A-Za-z0-9_-]{22,}$/.test(value) && value.length <= longest[kind] ? value : undefined;
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
