/**
 * What every page is handed besides its own values, and the words of an error page. The only bridge between a request and views/, which know neither.
 */
import type { Context, Exchange } from './context.ts';
import { equalSecrets } from './crypto/hash.ts';
import { type ErrorCase, type ErrorDetail, fixOf, type OAuthError } from './errors.ts';
import { languagesOf, pageLanguage } from './page-language.ts';
import { commandLine } from './views/command-line.ts';
import type { ErrorPageValues } from './views/error-page.ts';
import type { PageFrame } from './views/layout.ts';
import { staleClientFixes } from './views/stale-client-fixes.ts';
import { keyOf, type Words, wordsFor } from './views/words.ts';

/**
 * The frame of a page. `at` is where a person comes back to after choosing a language: the address of the page, unless it was posted; `null` for a page whose
 * content policy lets no form of ours go.
 */
export function pageFrame(exchange: Exchange, context: Context, at: string | null | undefined = addressOf(exchange)): PageFrame {
  const { serviceName, contact, accentColor, notice, issuer } = context.options;
  return {
    ...wordsFor(pageLanguage(exchange, context)),
    serviceName,
    host: new URL(issuer).host,
    contact,
    accent: accentColor?.replace('#', '').toLowerCase(),
    requestId: exchange.requestId,
    base: context.base,
    notice: notice?.(exchange.request),
    now: context.now(),
    menu: at === null ? undefined : { languages: languagesOf(context.options), at: markPlace(at, context) },
  };
}

/** An address of ours with our word that it is: nobody else can name one. In base64, because a hostile query should not stand in a page as it came. */
function markPlace(place: string, { instance, issuer }: Context): string {
  return `${btoa(place)}.${instance.mac('place', issuer, place)}`;
}

/** The address again; undefined when we did not mark it for this tenant. */
export function markedPlace(marked: string, { instance, issuer }: Context): string | undefined {
  const [encoded = '', proof = ''] = marked.split('.');
  const place = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) && encoded.length % 4 === 0 ? atob(encoded) : '';
  return equalSecrets(proof, instance.mac('place', issuer, place)) && place !== '' ? place : undefined;
}

/** Path and query of a page that can be asked for again. `//` would name another host. */
function addressOf({ request: { method, url } }: Exchange): string | null {
  const address = url.slice(url.indexOf('/', url.indexOf('://') + 3));
  return method === 'GET' && /^\/(?![/\\])[\x21-\x7e]{0,6000}$/.test(address) ? address : null;
}

/** The words of an error page: those of its case, which say all of it, else of its code. */
export function errorText(error: OAuthError, exchange: Exchange, words: Words & { base: string }): ErrorPageValues {
  const { case: given, values, forDeveloper, fixes, staleClient, difference, details, continueTo, goTo } = error.page ?? {};
  const fix = fixOf(error.code);
  const { t, rich } = words;
  const advice = keyOf(`problem.case.${given}.advice`);
  const filled = values?.command === undefined ? values : { ...values, command: commandLine(values.command) };
  return {
    code: error.code,
    title: t(keyOf(`problem.case.${given}.title`) ?? keyOf(`problem.title.${error.code}`) ?? 'problem.title'),
    text: advice ? undefined : t(`problem.means.${error.code}`),
    forUser: waiting(error, words) ?? rich(advice ?? keyOf(`problem.advice.${error.code}`) ?? 'problem.advice', filled),
    // For whoever wrote the client: English, as all of the protocol is.
    forDeveloper: forDeveloper ?? [`${error.message}.`, ...(fix === undefined ? [] : [fix])].join(' '),
    fixes: staleClient ? staleClientFixes(staleClient, words) : fixes,
    difference,
    details: details?.map((detail) => detailText(detail, words)),
    requestId: exchange.requestId,
    continueTo,
    goTo: goTo ?? wayOn(given, words.base),
  };
}

/** Where another link is asked for, for whoever holds a dead one. */
function wayOn(given: ErrorCase | undefined, base: string): ErrorPageValues['goTo'] {
  if (given === 'resetLinkClosed' || given === 'codeClosed') return { href: `${base}/login`, place: 'signIn' };
  if (given === 'emailLinkClosed') return { href: `${base}/account/profile`, place: 'profile' };
  return undefined;
}

/** How long to wait, where the answer says so (RFC 9110 §10.2.3). */
function waiting({ code, headers }: OAuthError, { t }: Words): string | undefined {
  const seconds = Number(headers['Retry-After'] ?? Number.NaN);
  if (code !== 'too_many_requests' || !Number.isFinite(seconds)) return undefined;
  return seconds < 90 ? t('problem.wait.seconds', { count: seconds }) : t('problem.wait.minutes', { count: Math.ceil(seconds / 60) });
}

function detailText([name, value]: ErrorDetail, { t }: Words): [string, string] {
  const key = keyOf(`problem.detail.${name}`);
  return [key ? t(key) : name, typeof value === 'number' ? t('problem.detail.andMore', { count: value }) : value];
}
