/**
 * /account/agents: who can act for the person, and stopping them, one or all, for a while or for good (CON-07, ACC-01, decision 5). What is done here is true at the
 * next introspection. Not here: the cards (agent-cards.ts), taking back a part (reduce.ts), receipts (receipts.ts).
 */
import { type AuditEvent, auditEvent, type EventType } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { type Parameters, parametersFromForm } from '../rules/parameters.ts';
import { readParameters } from '../rules/read-body.ts';
import type { Grant } from '../storage/store.ts';
import { connectedAgentsPage, type Done, type Filter } from '../views/connected-agents-page.ts';
import { disconnectAllPage } from '../views/disconnect-all-page.ts';
import { agentView, type Card, cardsOf } from './agent-cards.ts';
import { browserOf } from './browser-cookie.ts';
import { knownClientView } from './client-view.ts';
import { checkForm, type Form, formToken } from './form-token.ts';
import { offersPasskey } from './security/passkeys.ts';
import { tokenFor } from './security/section.ts';
import { currentSession, type SignedIn } from './session.ts';

/** Fewer agents than this are seen at a glance. */
const FILTERED_FROM = 4;
const WEEK = 7 * 86_400;
const UNUSED_SECONDS = 14 * 86_400;

/** GET /account/agents. */
export async function agents(exchange: Exchange, context: Context): Promise<Answer> {
  const query = parametersFromForm(new URL(exchange.request.url).search);
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login`);
  const browser = browserOf(exchange, context);
  const { id, username, name, email, agentsPausedAt } = signedIn.user;
  const [cards, delegations, weeks] = await Promise.all([
    cardsOf(id, context),
    context.store.listDelegations(id, context.now()),
    context.store.countActivity(id, context.now() - WEEK),
  ]);
  const filter = filterOf(query, cards);

  const html = connectedAgentsPage(pageFrame(exchange, context), {
    csrf: formToken(agentsForm(signedIn), browser, context),
    user: { name: name ?? username, email },
    agents: await Promise.all(cards.filter((card) => passes(card, filter, context)).map((card) => agentView(card, { delegations, weeks }, context))),
    allPaused: agentsPausedAt !== undefined,
    filter,
    done: await justDone(query, { signedIn, cards }, context),
    passkeyOffer:
      cards.length > 0 && (await offersPasskey(signedIn, context)) ? { csrf: tokenFor('passkeys/later', { signedIn, browser, context }) } : undefined,
  });
  return page(html, 200, browser.cookies);
}

/** POST /account/agents/disconnect ends all that the card stood for. A grant that never was this person's changes nothing and says nothing. */
export function disconnect(exchange: Exchange, context: Context): Promise<Answer> {
  return changeOne('grant.revoked', (userId, grantId, event) => context.store.disconnectAgent(userId, grantId, 'disconnected by the person', event))(
    exchange,
    context,
  );
}

/** POST /account/agents/pause. */
export function pause(exchange: Exchange, context: Context): Promise<Answer> {
  return changeOne('grant.paused', context.store.pauseAgent)(exchange, context);
}

/** POST /account/agents/resume. */
export function resume(exchange: Exchange, context: Context): Promise<Answer> {
  return changeOne('grant.resumed', context.store.resumeAgent)(exchange, context);
}

/** POST /account/agents/pause-all also stops what is allowed from now on. */
export function pauseAll(exchange: Exchange, context: Context): Promise<Answer> {
  return changeAll('grant.paused', context.store.pauseAllAgents)(exchange, context);
}

/** POST /account/agents/resume-all. */
export function resumeAll(exchange: Exchange, context: Context): Promise<Answer> {
  return changeAll('grant.resumed', context.store.resumeAllAgents)(exchange, context);
}

/** GET /account/agents/disconnect-all asks first. */
export async function disconnectAllForm(exchange: Exchange, context: Context): Promise<Answer> {
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login`);
  const browser = browserOf(exchange, context);
  const cards = await cardsOf(signedIn.user.id, context);
  const csrf = formToken(agentsForm(signedIn), browser, context);
  return page(disconnectAllPage(pageFrame(exchange, context), { csrf, agents: cards.length }), 200, browser.cookies);
}

/** POST /account/agents/disconnect-all. */
export function disconnectAll(exchange: Exchange, context: Context): Promise<Answer> {
  const act = async (userId: string, event: AuditEvent) => (await context.store.disconnectAll(userId, 'disconnected by the person', event)) > 0;
  return changeAll('grant.revoked', act)(exchange, context);
}

type Act = (userId: string, grantId: string, event: AuditEvent) => Promise<boolean>;

function changeOne(type: EventType, act: Act) {
  return async (exchange: Exchange, context: Context): Promise<Answer> => {
    const form = await readParameters(exchange.request, 'form');
    const grantId = form.get('grant') ?? '';
    const signedIn = await currentSession(exchange, context);
    if (!signedIn) return redirect(`${context.base}/login?reason=signed-out`);
    checkForm(agentsForm(signedIn), form.get('csrf'), { exchange, context });

    const done = await act(signedIn.user.id, grantId, eventOf(type, signedIn, { grantId }, exchange, context));
    return redirect(`${context.base}/account/agents${done ? `?done=${encodeURIComponent(grantId)}` : ''}`);
  };
}

function changeAll(type: EventType, act: (userId: string, event: AuditEvent) => Promise<boolean>) {
  return async (exchange: Exchange, context: Context): Promise<Answer> => {
    const form = await readParameters(exchange.request, 'form');
    const signedIn = await currentSession(exchange, context);
    if (!signedIn) return redirect(`${context.base}/login?reason=signed-out`);
    checkForm(agentsForm(signedIn), form.get('csrf'), { exchange, context });

    const done = await act(signedIn.user.id, eventOf(type, signedIn, { detail: { all: true } }, exchange, context));
    return redirect(`${context.base}/account/agents${done ? '?done=all' : ''}`);
  };
}

function eventOf(type: EventType, { user }: SignedIn, more: Pick<AuditEvent, 'grantId' | 'detail'>, exchange: Exchange, context: Context): AuditEvent {
  const about = { userId: user.id, address: exchange.address, requestId: exchange.requestId, ...more };
  return auditEvent(type, context.now(), `user:${user.id}`, about);
}

/** Whatever is done to one's agents on these pages. */
export function agentsForm({ session }: SignedIn): Form {
  return { purpose: 'agents', subject: [session.idHash] };
}

function filterOf(query: Parameters, cards: readonly Card[]): Filter | undefined {
  if (cards.length < FILTERED_FROM) return undefined;
  const servers = new Map(cards.map(({ resource, serverName }) => [resource, serverName ?? new URL(resource).host]));
  const server = query.get('server');
  return {
    server: server !== undefined && servers.has(server) ? server : undefined,
    unused: query.get('unused') === '1',
    servers: [...servers].map(([resource, name]) => ({ resource, name })),
  };
}

function passes({ resource, lastUsedAt }: Card, filter: Filter | undefined, context: Context): boolean {
  if (!filter) return true;
  if (filter.server !== undefined && filter.server !== resource) return false;
  return !filter.unused || lastUsedAt <= context.now() - UNUSED_SECONDS;
}

/** The address names a grant, and what is said of it is how it stands: nobody can make this page say what they like. */
async function justDone(query: Parameters, { signedIn, cards }: { signedIn: SignedIn; cards: readonly Card[] }, context: Context): Promise<Done | undefined> {
  const done = query.get('done');
  if (done === 'all') {
    if (signedIn.user.agentsPausedAt !== undefined) return { did: 'allPaused' };
    return { did: cards.length === 0 ? 'allDisconnected' : 'allResumed' };
  }
  const grant = done === undefined ? undefined : await context.store.findGrant(done);
  if (grant?.userId !== signedIn.user.id) return undefined;
  const name = await nameOf(grant, context);
  if (grant.revokedAt !== undefined) return { did: 'disconnected', name, at: grant.revokedAt };
  if (query.get('did') === 'reduced') return { did: 'reduced', name };
  return { did: grant.pausedAt === undefined ? 'resumed' : 'paused', name };
}

async function nameOf({ clientId }: Grant, context: Context): Promise<string> {
  return (await knownClientView(clientId, context))?.name ?? clientId;
}
