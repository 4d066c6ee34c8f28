/**
 * The cookie that tells browsers apart before anybody has signed in: parked requests and forms are bound to it, so that a link or a form begun in one
 * browser is worth nothing in another (LOG-02, LOG-03). It names nobody and ends with the browser.
 */
import type { Context, Exchange } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import { randomId } from '../crypto/random.ts';
import { readCookie, writeCookie } from './cookies.ts';

export type Browser = {
  /** The secret in the cookie; 256 random bits. */
  id: string;
  /** What is stored of it. */
  hash: string;
  /** To be sent with the answer when the cookie is new, else empty. */
  cookies: string[];
};

/** The browser that sent its cookie, if it did. */
export function knownBrowser(exchange: Exchange, context: Context): Browser | undefined {
  const id = readCookie('browser', exchange.request, context);
  return id === undefined ? undefined : { id, hash: sha256(id), cookies: [] };
}

/** The browser that sent its cookie, or a new one. */
export function browserOf(exchange: Exchange, context: Context): Browser {
  return knownBrowser(exchange, context) ?? newBrowser(context);
}

function newBrowser(context: Context): Browser {
  const id = randomId('', 32);
  return { id, hash: sha256(id), cookies: [writeCookie('browser', id, context)] };
}
