/**
 * GET / and GET /account: the front page, which tells a stranger nothing, and the first page of one's own account.
 */
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { accountPage } from '../views/account-page.ts';
import { homePage } from '../views/home-page.ts';
import { cardsOf } from './agent-cards.ts';
import { agentsForm } from './agents.ts';
import { browserOf } from './browser-cookie.ts';
import { formToken } from './form-token.ts';
import { offersPasskey } from './security/passkeys.ts';
import { tokenFor } from './security/section.ts';
import { currentSession } from './session.ts';
import { checkSetUp } from './set-up.ts';

/** Used within a day counts as today: nobody's midnight is everybody's. */
const TODAY_SECONDS = 86_400;

/** GET /. */
export async function home(exchange: Exchange, context: Context): Promise<Answer> {
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) await checkSetUp(context);
  return page(homePage(pageFrame(exchange, context), { signedInAs: signedIn?.user.email ?? signedIn?.user.username }));
}

/** GET /account. */
export async function account(exchange: Exchange, context: Context): Promise<Answer> {
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login`);
  const browser = browserOf(exchange, context);
  const { id, username, name, email, agentsPausedAt } = signedIn.user;
  const { store } = context;
  const now = context.now();
  const [cards, passkeys, factor, sessions, offered] = await Promise.all([
    cardsOf(id, context),
    store.listPasskeys(id),
    store.findSecondFactor(id),
    store.listSessions(id, now),
    offersPasskey(signedIn, context),
  ]);

  const html = accountPage(pageFrame(exchange, context), {
    csrf: formToken(agentsForm(signedIn), browser, context),
    user: { name: name ?? username, email },
    agents: cards.length,
    usedToday: cards.filter(({ lastUsedAt, createdAt }) => lastUsedAt > createdAt && lastUsedAt > now - TODAY_SECONDS).length,
    allPaused: agentsPausedAt !== undefined,
    passkeys: passkeys.length,
    twoStep: factor !== undefined,
    sessions: sessions.length,
    passkeyOffer: offered ? { csrf: tokenFor('passkeys/later', { signedIn, browser, context }) } : undefined,
  });
  return page(html, 200, browser.cookies);
}
