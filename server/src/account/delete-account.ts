/**
 * /account/delete: a person ends their account, and all that is theirs with it, in one act. Their agents have no access from then on, and clients that asked for it
 * hear of the sign-out. Not here: what is deleted (storage/holdings.ts).
 */
import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { type DeleteAccountPageValues, deleteAccountPage } from '../views/delete-account-page.ts';
import { deletedPage } from '../views/deleted-page.ts';
import { type Browser, browserOf } from './browser-cookie.ts';
import { writeCookie } from './cookies.ts';
import { isFresh } from './fresh-sign-in.ts';
import { readSent, tokenFor } from './security/section.ts';
import { currentSession, type SignedIn } from './session.ts';

type Place = { signedIn: SignedIn; browser: Browser; exchange: Exchange; context: Context };

/** GET /account/delete asks first. */
export async function deleteAccountForm(exchange: Exchange, context: Context): Promise<Answer> {
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login?to=profile`);
  if (!isFresh(signedIn, context)) return redirect(`${context.base}/login?reason=confirm&to=profile`);
  return formAnswer(undefined, { signedIn, browser: browserOf(exchange, context), exchange, context });
}

/** POST /account/delete with the person's own `username`. */
export async function deleteAccount(exchange: Exchange, context: Context): Promise<Answer> {
  const sent = await readSent('delete', { exchange, context });
  if ('status' in sent) return sent;
  const { signedIn, form } = sent;
  const { user } = signedIn;
  if (!isFresh(signedIn, context)) return redirect(`${context.base}/login?reason=confirm&to=profile`);
  const again = async (problem: DeleteAccountPageValues['problem'], status: number) => ({
    ...(await formAnswer(problem, { ...sent, exchange, context })),
    status,
  });
  if (!sameName(form.get('username') ?? '', user.username)) return again('name', 400);

  // Without an address: it would be the one thing left of them.
  const event = auditEvent('user.removed', context.now(), `user:${user.id}`, { userId: user.id, requestId: exchange.requestId });
  const outcome = await context.store.removeUser(user.id, event);
  if (outcome === 'owner' || outcome === 'operator') return again(outcome, 409);
  context.logouts.soon();
  return page(deletedPage(pageFrame(exchange, context)), 200, [writeCookie('session', '', context, 0)]);
}

async function formAnswer(problem: DeleteAccountPageValues['problem'], { signedIn, browser, exchange, context }: Place): Promise<Answer> {
  const csrf = tokenFor('delete', { signedIn, browser, context });
  const frame = pageFrame(exchange, context, exchange.request.method === 'GET' ? undefined : `${context.base}/account/delete`);
  return page(deleteAccountPage(frame, { csrf, username: signedIn.user.username, problem }), 200, browser.cookies);
}

const folded = (name: string): string => name.normalize('NFKC').trim().toLowerCase();
const sameName = (typed: string, username: string): boolean => folded(typed) === folded(username);
