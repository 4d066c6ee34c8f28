/**
 * GET /authorize/return?tx=…: the page between a decision and the client (decision 12). It can be shown again while the code lives, only to the browser that
 * decided: the answer lies sealed under that browser's cookie. Not here: its HTML (views/return-page.ts).
 */
import { browserOf } from '../account/browser-cookie.ts';
import { knownClientView } from '../account/client-view.ts';
import { parkedRequest } from '../account/parked-request.ts';
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { parametersFromForm } from '../rules/parameters.ts';
import { returnPage } from '../views/return-page.ts';
import { alreadyDecided, outcomeOf } from './decision.ts';

/** GET /authorize/return. */
export async function returnToClient(exchange: Exchange, context: Context): Promise<Answer> {
  const tx = parametersFromForm(new URL(exchange.request.url).search).get('tx');
  const browser = browserOf(exchange, context);
  const parked = await parkedRequest(tx, browser, context);
  if (parked.answeredAt === undefined) return redirect(`${context.base}/authorize/consent?tx=${tx}`);
  const outcome = outcomeOf(parked, { browser, context });
  if (!outcome) throw alreadyDecided();
  const client = await knownClientView(parked.request.clientId, context);
  return page(returnPage(pageFrame(exchange, context), { ...outcome, client }));
}
