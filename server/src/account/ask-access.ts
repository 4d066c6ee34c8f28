/**
 * /account/ask: a person who may not use a server asks those who run it, in a few words. One question at a time for each server, and a no holds for a while. Not here:
 * the list (storage/), whose answer it is (access-answers.ts).
 */
import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { randomId } from '../crypto/random.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { parametersFromForm } from '../rules/parameters.ts';
import type { McpServer } from '../storage/store.ts';
import { type AskAccessProblem, type AskAccessState, askAccessPage, MAX_MESSAGE } from '../views/ask-access-page.ts';
import { type Browser, browserOf } from './browser-cookie.ts';
import { readSent, tokenFor } from './security/section.ts';
import { currentSession, type SignedIn } from './session.ts';
import { throttled } from './throttled.ts';

/** How long a question waits for its answer. */
const openSeconds = 14 * 86_400;

type Place = { signedIn: SignedIn; browser: Browser; exchange: Exchange; context: Context };
type Shown = { message?: string; problem?: AskAccessProblem; retryAfterSeconds?: number };

/** GET /account/ask?server=…. */
export async function askAccessForm(exchange: Exchange, context: Context): Promise<Answer> {
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login`);
  const server = await keptServer(parametersFromForm(new URL(exchange.request.url).search).get('server'), context);
  if (!server) return redirect(`${context.base}/account/agents`);
  return formAnswer(server, {}, { signedIn, browser: browserOf(exchange, context), exchange, context });
}

/** POST /account/ask with `server` and `message`. */
export async function askAccess(exchange: Exchange, context: Context): Promise<Answer> {
  const sent = await readSent('ask', { exchange, context }, { prose: 'message' });
  if ('status' in sent) return sent;
  const { signedIn, form } = sent;
  const place = { ...sent, exchange, context };
  const server = await keptServer(form.get('server'), context);
  if (!server) return redirect(`${context.base}/account/agents`);
  const message = oneLine(form.get('message') ?? '');
  if (message.length > MAX_MESSAGE) return { ...(await formAnswer(server, { message, problem: 'long' }, place)), status: 400 };
  const allowance = await context.limits.take('ask.person', signedIn.user.id);
  if (!allowance.allowed) {
    const { retryAfter } = allowance;
    return throttled(await formAnswer(server, { message, problem: 'throttled', retryAfterSeconds: retryAfter }, place), allowance);
  }

  await ask(server, message, place);
  return redirect(`${context.base}/account/ask?server=${encodeURIComponent(server.id)}`);
}

async function ask(server: McpServer, message: string, { signedIn: { user }, exchange, context }: Place): Promise<void> {
  const now = context.now();
  const id = randomId('ask_', 12);
  const about = { userId: user.id, serverId: server.id, address: exchange.address, requestId: exchange.requestId };
  const event = auditEvent('access.requested', now, `user:${user.id}`, about);
  const owner = await context.store.findUser(server.ownerId);
  const values = { id, server: server.name, person: user.name ?? user.username, email: user.email, message };
  const told = owner?.email === undefined ? event : context.mail.with(event, { kind: 'access-asked', to: owner.email, locale: owner.language, values });
  await context.store.askForAccess({ id, serverId: server.id, userId: user.id, message, createdAt: now, expiresAt: now + openSeconds }, told);
}

/** A server that is kept to a list; others need no asking. */
async function keptServer(id: string | undefined, { store }: Context): Promise<McpServer | undefined> {
  const server = id === undefined ? undefined : await store.findServer(id);
  return server?.people === undefined ? undefined : server;
}

async function formAnswer(server: McpServer, shown: Shown, { signedIn, browser, exchange, context }: Place): Promise<Answer> {
  const { username, name, email } = signedIn.user;
  const at = exchange.request.method === 'GET' ? undefined : `${context.base}/account/ask?server=${encodeURIComponent(server.id)}`;
  const html = askAccessPage(pageFrame(exchange, context, at), {
    csrf: tokenFor('ask', { signedIn, browser, context }),
    user: { name: name ?? username, email },
    server: { id: server.id, name: server.name },
    state: await stateOf(server, signedIn, context),
    ...shown,
  });
  return page(html, 200, browser.cookies);
}

async function stateOf({ id: serverId }: McpServer, { user }: SignedIn, { store, now }: Context): Promise<AskAccessState> {
  const membership = { serverId, userId: user.id };
  if (await store.mayUseServer(membership)) return { is: 'allowed' };
  const asked = await store.findAccessRequest(membership, now());
  // Whoever was on the list and was taken off it again may ask anew.
  if (!asked || asked.decision === 'approved') return { is: 'free' };
  if (asked.decision === 'denied') return { is: 'denied', at: asked.decidedAt ?? asked.createdAt, until: asked.expiresAt };
  return { is: 'open', at: asked.createdAt, until: asked.expiresAt };
}

/** Plain text on one line, whatever was pasted. */
function oneLine(message: string): string {
  return message
    .normalize('NFC')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}
