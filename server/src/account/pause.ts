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
import { accountsPlace } from './choose-account.ts';
import { formToken } from './form-token.ts';
import { heldSessions, holdsOthers } from './held-sessions.ts';
import { currentSession, type SignedIn } from './session.ts';

/** What is over or has stopped already is looked at among the agents. What belongs to another account of this browser is asked about there. */
export async function pauseForm(exchange: Exchange, context: Context): Promise<Answer> {
  const grantId = parametersFromForm(new URL(exchange.request.url).search).get('grant');
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login?${new URLSearchParams({ to: 'pause', grant: grantId ?? '' })}`);
  const card = await cardOf(signedIn.user.id, grantId, context);
  const agent = card && (await agentView(card, { delegations: [], weeks: [] }, context));
  if (!agent || agent.stopped !== undefined) return redirect(await elsewhere(grantId, { signedIn, exchange, context }));

  const browser = browserOf(exchange, context);
  const csrf = formToken(agentsForm(signedIn), browser, context);
  return page(pausePage(pageFrame(exchange, context), { ...agent, csrf }), 200, browser.cookies);
}

async function elsewhere(grantId: string | undefined, { signedIn, exchange, context }: { signedIn: SignedIn; exchange: Exchange; context: Context }) {
  const agents = `${context.base}/account/agents`;
  if (grantId === undefined || !holdsOthers({ exchange, context })) return agents;
  const [grant, held] = await Promise.all([context.store.findGrant(grantId), heldSessions({ exchange, context })]);
  const isOfAnother = grant?.userId !== signedIn.user.id && held.some(({ user }) => user.id === grant?.userId);
  return isOfAnother ? accountsPlace({ pause: grantId }, context) : agents;
}
