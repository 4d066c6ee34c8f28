/**
 * GET /account/agents/pause: where the link of a notice leads, a question and nothing more. Whoever follows a link by accident, or a program that looks at links,
 * changes nothing. Not here: the pause itself (agents.ts).
 */
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { parametersFromForm } from '../rules/parameters.ts';
import { pausePage } from '../views/pause-page.ts';
import { agentView, cardOf } from './agent-cards.ts';
import { agentsForm } from './agents.ts';
import { browserOf } from './browser-cookie.ts';
import { formToken } from './form-token.ts';
import { currentSession } from './session.ts';

/** What is not this person's, is over or has stopped already is looked at among the agents. */
export async function pauseForm(exchange: Exchange, context: Context): Promise<Answer> {
  const grantId = parametersFromForm(new URL(exchange.request.url).search).get('grant');
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login?${new URLSearchParams({ to: 'pause', grant: grantId ?? '' })}`);
  const card = await cardOf(signedIn.user.id, grantId, context);
  const agent = card && (await agentView(card, { delegations: [], weeks: [] }, context));
  if (!agent || agent.stopped !== undefined) return redirect(`${context.base}/account/agents`);

  const browser = browserOf(exchange, context);
  const csrf = formToken(agentsForm(signedIn), browser, context);
  return page(pausePage(pageFrame(exchange, context), { ...agent, csrf }), 200, browser.cookies);
}
