/**
 * Owns: the last gate before an address becomes a link, a form target or a refresh. It trusts no caller.
 * Not owned: which redirect URI a client may use (rules/), only what a browser may be pointed at (RFC 8252 §7, §8.6).
 */
import { isLoopbackHost } from './redirect-target.ts';

/** Schemes that run, embed or read something in the browser itself instead of handing over to another program. */
const NEVER = new Set(['javascript:', 'data:', 'vbscript:', 'blob:', 'file:', 'filesystem:', 'about:', 'view-source:', 'jar:', 'ws:', 'wss:', 'ftp:', 'urn:']);
const NEVER_PREFIX = /^(chrome|edge|moz|safari|ms-browser)[a-z-]*:$/;

/**
 * Returns `href` unchanged when it is absolute and https, http on loopback, or an app's own scheme; else `undefined`, and no link may be made.
 * @example safeReturnHref('javascript:alert(1)') // undefined
 */
export function safeReturnHref(href: string): string | undefined {
  if (!URL.canParse(href)) return undefined;
  const { protocol, hostname } = new URL(href);
  if (protocol === 'https:') return href;
  if (protocol === 'http:') return isLoopbackHost(hostname) ? href : undefined;
  return NEVER.has(protocol) || NEVER_PREFIX.test(protocol) ? undefined : href;
}

/** Returns the link for an operator's contact: an https address, or an e-mail address as `mailto:`; `undefined` when it is plain words. */
export function contactHref(contact: string): string | undefined {
  if (/^[^\s@<>"'?&]+@[^\s@<>"'?&]+$/.test(contact)) return `mailto:${contact}`;
  return URL.canParse(contact) && new URL(contact).protocol === 'https:' ? contact : undefined;
}
