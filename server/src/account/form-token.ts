/**
 * Proof that a form was made by us for this browser and this purpose (LOG-02): a MAC that only this server can make, over the browser cookie and what the
 * form is about. It carries the whole proof, because under `Referrer-Policy: no-referrer` browsers send `Origin: null` (contracts §7.9, §7.14).
 */

import type { Context, Exchange } from '../context.ts';
import { equalSecrets } from '../crypto/hash.ts';
import { type ErrorDetail, type ErrorPageText, OAuthError } from '../errors.ts';
import type { HttpRequest } from '../http-request.ts';
import { type Browser, knownBrowser } from './browser-cookie.ts';

type FormPurpose =
  | 'login'
  | 'accounts'
  | 'consent'
  | 'hand-off'
  | 'logout'
  | 'agents'
  | 'setup'
  | 'device'
  | 'second-step'
  | 'security'
  | 'first-time'
  | 'link'
  | 'code'
  | 'sign-up'
  | 'new-account'
  | 'reset'
  | 'email';

/** What a form is: its purpose and what it is about (a transaction, a session); a token for one is worth nothing for another. */
export type Form = { purpose: FormPurpose; subject: string[] };

export function formToken(form: Form, browser: Browser, context: Context): string {
  return context.instance.mac('form', context.issuer, browser.id, form.purpose, ...form.subject);
}

/**
 * Checks where a form came from and its token. Nothing may change before this.
 *
 * @throws {OAuthError} invalid_form from another site, without the browser cookie, or with a token that is not of this form. Returns the browser.
 */
export function checkForm(form: Form, given: string | undefined, place: { exchange: Exchange; context: Context }): Browser {
  const { exchange, context } = place;
  if (!comesFromHere(exchange.request, context))
    throw new OAuthError('invalid_form', 'The form was sent by another site').onPage({ case: 'formFromElsewhere', ...whereSent(exchange.request, context) });
  const browser = knownBrowser(exchange, context);
  if (!browser)
    throw new OAuthError('invalid_form', 'The browser did not send the cookie of this site').onPage({
      case: 'noCookie',
      ...whereSent(exchange.request, context),
    });
  if (!equalSecrets(given ?? '', formToken(form, browser, context)))
    throw new OAuthError('invalid_form', 'The form is not one of ours for this browser').onPage({ case: 'formOld' });
  return browser;
}

/** The address the browser used beside the one we are configured with: the usual reasons why a cookie stays behind (SameSite, Secure, another host). */
function whereSent(request: HttpRequest, { options }: Context): Pick<ErrorPageText, 'values' | 'forDeveloper' | 'details'> {
  const host = request.headers.get('host') ?? new URL(request.url).host;
  const origin = request.headers.get('origin');
  const secure = options.issuer.startsWith('https:');
  const reasons = [
    host === new URL(options.issuer).host
      ? ''
      : 'The request came to another host than that of the issuer. A cookie belongs to one host, localhost and 127.0.0.1 are two.',
    secure && (origin?.startsWith('http:') || request.headers.get('x-forwarded-proto') === 'http')
      ? 'The page was opened over http; the cookie is Secure and goes over https only.'
      : '',
    'The cookie is SameSite=Lax: a form inside a frame or on another site is sent without it.',
  ];
  const details: ErrorDetail[] = [
    ['issuer', options.issuer],
    ['host', clip(host)],
  ];
  if (origin !== null) details.push(['origin', clip(origin)]);
  return { values: { address: options.issuer }, forDeveloper: reasons.filter((reason) => reason !== '').join(' '), details };
}

function clip(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** Fetch Metadata where a browser sends it, else Origin. Both may be absent, and Origin may be `null`: then the token alone decides. */
export function comesFromHere(request: HttpRequest, context: Context): boolean {
  const site = request.headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin' && site !== 'none') return false;
  const origin = request.headers.get('origin');
  // The second comparison is for 127.0.0.1 in development mode, which answers beside its issuer on localhost (contracts §7.11).
  return origin === null || origin === 'null' || origin === context.options.issuer || origin === new URL(request.url).origin;
}
