/**
 * The way back to the client: a redirect, a page of ours that leads there (decision 12), or a form that posts there. GET /authorize/return?tx=… can be shown
 * again while the code lives, only to the browser that decided: the answer lies sealed under that browser's cookie. Not here: HTML (views/return-page.ts).
 */
import { browserOf } from '../account/browser-cookie.ts';
import { knownClientView } from '../account/client-view.ts';
import { formToken } from '../account/form-token.ts';
import { parkedRequest } from '../account/parked-request.ts';
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { noteLanguage } from '../page-language.ts';
import { type Answer, contentPolicy, page, redirect } from '../route.ts';
import { parametersFromForm } from '../rules/parameters.ts';
import { handOffPage } from '../views/hand-off.ts';
import { returnPage } from '../views/return-page.ts';
import type { ClientAnswer } from './answer.ts';
import { alreadyDecided, type Outcome, outcomeOf, type Place } from './decision.ts';
import { extensionForm } from './hand-off.ts';

/** GET /authorize/return. */
export async function returnToClient(exchange: Exchange, context: Context): Promise<Answer> {
  const tx = parametersFromForm(new URL(exchange.request.url).search).get('tx');
  const browser = browserOf(exchange, context);
  const parked = await parkedRequest(tx, browser, context);
  noteLanguage(exchange, { asked: parked.request.language });
  if (parked.answeredAt === undefined) return redirect(`${context.base}/authorize/consent?tx=${tx}`);
  const outcome = outcomeOf(parked, { browser, context });
  if (!outcome) throw alreadyDecided();
  if (outcome.handOff === undefined) return leadBack(outcome, parked.request.clientId, { exchange, context });
  const secondsLeft = parked.answeredAt + context.options.codeSeconds - context.now();
  const csrf = outcome.handOff === 'shown' ? formToken(extensionForm(tx ?? ''), browser, context) : undefined;
  return page(handOffPage(pageFrame(exchange, context), { tx: tx ?? '', href: outcome.href, secondsLeft, csrf }));
}

/** Answers at once, where nobody was asked: a redirect, or the page with the form if the client wants one. */
export async function sendBack(outcome: Outcome, clientId: string, place: Omit<Place, 'browser'>, cookies: string[] = []): Promise<Answer> {
  if (outcome.fields === undefined) return redirect(outcome.href, cookies);
  return { ...(await leadBack(outcome, clientId, place)), cookies };
}

/** The content policy by which a page may post an answer to its client, and to nobody else (AZ-26). */
export function policyFor({ href, fields }: ClientAnswer): Record<string, string> {
  return fields === undefined ? {} : { 'Content-Security-Policy': contentPolicy(new URL(href).origin) };
}

async function leadBack(outcome: Outcome, clientId: string, { exchange, context }: Omit<Place, 'browser'>): Promise<Answer> {
  const client = await knownClientView(clientId, context);
  // Under a content policy for the client alone, our own form would go nowhere.
  const frame = outcome.fields ? pageFrame(exchange, context, null) : pageFrame(exchange, context);
  return { ...page(returnPage(frame, { ...outcome, client })), headers: policyFor(outcome) };
}
