/**
 * POST /language: the language a person chooses in the footer of a page. Kept by this browser, and by the account of who is signed in. The way back is the page
 * that had the menu, marked by us, so this form leads nowhere else (LOG-04). Not here: which language is shown (page-language.ts).
 */
import type { Context, Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { markedPlace } from '../page-frame.ts';
import { languageCookie, languagesOf } from '../page-language.ts';
import { type Answer, redirect } from '../route.ts';
import { refuseRepeated } from '../rules/parameters.ts';
import { readParameters } from '../rules/read-body.ts';
import { comesFromHere } from './form-token.ts';
import { currentSession } from './session.ts';

/** POST /language. It changes words and nothing else, so where it comes from is proof enough. */
export async function chooseLanguage(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  if (!comesFromHere(exchange.request, context)) throw new OAuthError('invalid_form', 'The form was sent by another site');
  const at = markedPlace(form.get('at') ?? '', context);
  if (at === undefined) throw new OAuthError('invalid_form', 'The form names a place that we did not put there');
  const language = languagesOf(context.options).find(({ tag }) => tag === form.get('language'));
  if (!language) throw new OAuthError('invalid_request', 'language must be one of those offered');

  const signedIn = await currentSession(exchange, context);
  if (signedIn) await context.store.setLanguage(signedIn.user.id, language.tag);

  return redirect(at, [languageCookie(language.tag, context)]);
}
