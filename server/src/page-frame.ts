/**
 * What every page is handed besides its own values, and the words of an error page. The only bridge between a request and views/, which know neither.
 */
import type { Context, Exchange } from './context.ts';
import { errorCodes, type OAuthError } from './errors.ts';
import type { ErrorPageValues } from './views/error-page.ts';
import type { PageFrame } from './views/layout.ts';

export function pageFrame(exchange: Exchange, context: Context): PageFrame {
  const { serviceName, contact, notice, issuer } = context.options;
  return {
    serviceName,
    host: new URL(issuer).host,
    contact,
    requestId: exchange.requestId,
    language: 'en',
    base: context.base,
    notice: notice?.(exchange.request),
    now: context.now(),
  };
}

/** The words of an error page: from the table of codes, unless the error brought better ones. */
export function errorText(error: OAuthError, exchange: Exchange): ErrorPageValues {
  const { means, fix } = errorCodes[error.code];
  return {
    code: error.code,
    title: error.page?.title ?? titles[error.code] ?? 'That did not work',
    text: means,
    forUser:
      error.page?.forUser ?? advice[error.code] ?? (forPeople.has(error.code) ? fix : 'Go back to the app and try again. If it stays so, tell its maker.'),
    forDeveloper: error.page?.forDeveloper ?? (forPeople.has(error.code) ? error.message : `${error.message}. ${fix}`),
    fixes: error.page?.fixes,
    details: error.page?.details,
    requestId: exchange.requestId,
    continueTo: error.page?.continueTo,
    goTo: error.page?.goTo,
  };
}

/** Codes whose fix in the table speaks to the person; the others' speak to whoever wrote the client. */
const forPeople = new Set<OAuthError['code']>(['request_expired', 'invalid_form', 'not_found', 'forbidden', 'server_error']);

const advice: Partial<Record<OAuthError['code'], string>> = {
  client_metadata_unavailable: "Try again later. If it stays so, tell the app's maker.",
  too_many_requests: 'Wait a little, then try again.',
  temporarily_unavailable: 'Wait a moment, then load this page again.',
};

const titles: Partial<Record<OAuthError['code'], string>> = {
  invalid_client: "This app's registration is no longer known here",
  unauthorized_client: "This app's registration is no longer known here",
  invalid_redirect_uri: "The return address doesn't match",
  client_metadata_unavailable: "We couldn't read this app's description",
  request_expired: 'This request is too old',
  invalid_request_uri: 'This request is too old',
  access_denied: 'Nothing was shared',
  invalid_target: "We don't know this server",
  too_many_requests: 'Slow down',
  invalid_form: "Your browser didn't send our cookie",
  not_found: 'There is nothing here',
  method_not_allowed: 'That is not how this page works',
  server_error: 'Something broke on our side',
  temporarily_unavailable: 'Back in a moment',
};
