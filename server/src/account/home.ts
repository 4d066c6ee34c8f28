/**
 * GET / and GET /account: the front page, which tells a stranger nothing, and the way to one's own agents.
 */
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { homePage } from '../views/home-page.ts';
import { currentSession } from './session.ts';

/** GET /. */
export async function home(exchange: Exchange, context: Context): Promise<Answer> {
  const signedIn = await currentSession(exchange, context);
  return page(homePage(pageFrame(exchange, context), { signedInAs: signedIn?.user.email ?? signedIn?.user.username }));
}

/** GET /account. */
export function account(_exchange: Exchange, context: Context): Answer {
  return redirect(`${context.base}/account/agents`);
}
