/**
 * What every page is handed besides its own values, and the words of an error page. The only bridge between a request and views/, which know neither.
 */
import type { Context, Exchange } from './context.ts';
import { type ErrorCode, type ErrorDetail, fixOf, type OAuthError } from './errors.ts';
import type { ErrorPageValues } from './views/error-page.ts';
import type { PageFrame } from './views/layout.ts';
import { staleClientFixes } from './views/stale-client-fixes.ts';
import { keyOf, type Words, wordsFor } from './views/words.ts';

export function pageFrame(exchange: Exchange, context: Context): PageFrame {
  const { serviceName, contact, notice, issuer } = context.options;
  return {
    ...wordsFor('en'),
    serviceName,
    host: new URL(issuer).host,
    contact,
    requestId: exchange.requestId,
    base: context.base,
    notice: notice?.(exchange.request),
    now: context.now(),
  };
}

/** The words of an error page: those of its case, else of its code. */
export function errorText(error: OAuthError, exchange: Exchange, words: Words): ErrorPageValues {
  const { case: given, values, forDeveloper, fixes, staleClient, details, continueTo, goTo } = error.page ?? {};
  const fix = fixOf(error.code);
  const { t } = words;
  return {
    code: error.code,
    title: t(keyOf(`problem.case.${given}.title`) ?? keyOf(`problem.title.${error.code}`) ?? 'problem.title'),
    text: t(`problem.means.${error.code}`),
    forUser: t(keyOf(`problem.case.${given}.advice`) ?? keyOf(`problem.advice.${error.code}`) ?? 'problem.advice', values),
    // For whoever wrote the client: English, as all of the protocol is.
    forDeveloper: forDeveloper ?? [error.message, ...(fix === undefined ? [] : [fix])].join('. '),
    fixes: staleClient ? staleClientFixes(staleClient, words) : fixes,
    details: details?.map((detail) => detailText(detail, words)),
    requestId: exchange.requestId,
    continueTo,
    goTo,
  };
}

/** What a code means and what to do about it, for its page in the documentation. */
export function codeText(code: ErrorCode, { t }: Words): Pick<ErrorPageValues, 'text' | 'forUser'> {
  return { text: t(`problem.means.${code}`), forUser: fixOf(code) ?? t(keyOf(`problem.advice.${code}`) ?? 'problem.advice') };
}

function detailText([name, value]: ErrorDetail, { t }: Words): [string, string] {
  const key = keyOf(`problem.detail.${name}`);
  return [key ? t(key) : name, typeof value === 'number' ? t('problem.detail.andMore', { count: value }) : value];
}
