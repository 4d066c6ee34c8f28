/**
 * /account/agents/reduce: the person takes back a part of what an agent may do, or lets it end sooner (ACC-02). Never more than it has; to get more the agent asks.
 */
import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { parametersFromForm } from '../rules/parameters.ts';
import { readParameters } from '../rules/read-body.ts';
import { reducePage, SHORTER, type Shorter } from '../views/reduce-page.ts';
import { agentView, type Card, cardOf } from './agent-cards.ts';
import { agentsForm } from './agents.ts';
import { type Browser, browserOf } from './browser-cookie.ts';
import { checkForm, formToken } from './form-token.ts';
import { currentSession, type SignedIn } from './session.ts';

const seconds: Readonly<Record<Shorter, number>> = { '30_days': 30 * 86_400, '8_hours': 8 * 3600, '1_hour': 3600 };
/** Without them an agent that signs people in is another agent. */
const fixed = new Set(['openid', 'offline_access']);

type Place = { signedIn: SignedIn; browser: Browser; exchange: Exchange; context: Context };

/** GET /account/agents/reduce?grant=…. */
export async function reduceForm(exchange: Exchange, context: Context): Promise<Answer> {
  const grantId = parametersFromForm(new URL(exchange.request.url).search).get('grant');
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login`);
  const card = await cardOf(signedIn.user.id, grantId, context);
  if (!card) return redirect(`${context.base}/account/agents`);
  return formAnswer(card, undefined, { signedIn, browser: browserOf(exchange, context), exchange, context });
}

/** POST /account/agents/reduce: `scope` values that are still ticked stay. */
export async function reduce(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login?reason=signed-out`);
  const browser = checkForm(agentsForm(signedIn), form.get('csrf'), { exchange, context });
  const card = await cardOf(signedIn.user.id, form.get('grant'), context);
  if (!card) return redirect(`${context.base}/account/agents`);

  const kept = form.all('scope');
  const remove = card.scope.filter((name) => !fixed.has(name) && !kept.includes(name));
  const expiresAt = chosenEnd(form.get('until'), card, context);
  const again = async (error: 'nothingLeft' | 'nothingChanged') => ({
    ...(await formAnswer(card, error, { signedIn, browser, exchange, context })),
    status: 400,
  });
  if (remove.length === 0 && expiresAt === undefined) return again('nothingChanged');
  if (card.scope.every((name) => remove.includes(name) || name === 'offline_access')) return again('nothingLeft');

  const about = { userId: signedIn.user.id, clientId: card.clientId, serverId: card.serverId, grantId: card.id };
  const detail = { removed: remove, ...(expiresAt === undefined ? {} : { expires_at: expiresAt }) };
  const event = auditEvent('grant.reduced', context.now(), `user:${signedIn.user.id}`, {
    ...about,
    address: exchange.address,
    requestId: exchange.requestId,
    detail,
  });
  await context.store.reduceAgent({ userId: signedIn.user.id, grantId: card.id, remove, expiresAt }, event);
  return redirect(`${context.base}/account/agents?done=${encodeURIComponent(card.id)}&did=reduced`);
}

async function formAnswer(card: Card, error: 'nothingLeft' | 'nothingChanged' | undefined, { signedIn, browser, exchange, context }: Place): Promise<Answer> {
  const { grantId, client, serverName, scopes, endsAt, dormantDays } = await agentView(card, { delegations: [], weeks: [] }, context);
  const html = reducePage(pageFrame(exchange, context), {
    csrf: formToken(agentsForm(signedIn), browser, context),
    grantId,
    client,
    serverName,
    scopes: scopes.filter(({ name }) => name !== 'offline_access').map((scope) => ({ ...scope, fixed: fixed.has(scope.name) })),
    endsAt,
    dormantDays,
    sooner: soonerThan(card, context),
    error,
  });
  return page(html, 200, browser.cookies);
}

function soonerThan({ endsAt }: Card, context: Context): Shorter[] {
  return SHORTER.filter((each) => context.now() + seconds[each] < (endsAt ?? Infinity));
}

/** Undefined for what was not offered: then it ends as before. */
function chosenEnd(given: string | undefined, card: Card, context: Context): number | undefined {
  const chosen = soonerThan(card, context).find((each) => each === given);
  return chosen && context.now() + seconds[chosen];
}
