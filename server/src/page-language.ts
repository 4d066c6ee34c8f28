/**
 * Which language a person reads: what they chose in this browser, what the client asked for (`ui_locales`, OIDC Core §3.1.2.1), their account's, the browser's
 * (`Accept-Language`), the operator's default; of those offered, in that order. All of it is hostile input; the answer is always one of our own tags.
 */
import type { Context, Exchange } from './context.ts';
import { acceptedLanguages, type Language, lookupLanguage, offeredLanguages, pseudoLanguages } from './languages.ts';
import type { Options } from './options.ts';

/** `asked` by the client, `account`: the person's own setting. */
type Known = { asked?: string; account?: string };

/** What was found out about the person of a request on the way. An exchange lives as long as its request. */
const noted = new WeakMap<Exchange, Known>();
const cookie = /(?:^|;)\s*aa_language=([A-Za-z0-9-]{2,35})(?:;|$)/;

/** Remembers for the pages of this request what the client or the account says. */
export function noteLanguage(exchange: Exchange, known: Known): void {
  noted.set(exchange, { ...noted.get(exchange), ...known });
}

/** The language of every page of this request. */
export function pageLanguage(exchange: Exchange, { options }: Context): string {
  const { headers, url } = exchange.request;
  const { asked, account } = noted.get(exchange) ?? {};
  const tags = languagesOf(options).map(({ tag }) => tag);
  const chosen = cookie.exec(headers.get('cookie') ?? '')?.[1] ?? '';
  const wishes = [chosen, asked ?? localesIn(url, options) ?? '', account ?? '', ...acceptedLanguages(headers.get('accept-language'))];
  return lookupLanguage(wishes, tags) ?? options.defaultLanguage;
}

/** The languages a person can choose. */
export function languagesOf(options: Options): readonly Language[] {
  return options.pseudoLanguages ? [...offeredLanguages, ...pseudoLanguages] : offeredLanguages;
}

/** What of a `ui_locales` parameter can be met: "a space-separated list of BCP47 language tag values, ordered by preference". */
export function askedLanguage(uiLocales: string | undefined, options: Options): string | undefined {
  return lookupLanguage(
    (uiLocales ?? '').slice(0, 500).split(' ', 20),
    languagesOf(options).map(({ tag }) => tag),
  );
}

/** Keeps the choice of this browser, for people without an account and before they sign in. It ends with the browser. */
export function languageCookie(tag: string, { options }: Context): string {
  return `aa_language=${tag}; Path=/; HttpOnly; SameSite=Lax${options.issuer.startsWith('https:') ? '; Secure' : ''}`;
}

function localesIn(url: string, options: Options): string | undefined {
  return url.includes('ui_locales=') ? askedLanguage(new URL(url).searchParams.get('ui_locales') ?? undefined, options) : undefined;
}
