/**
 * GET and POST /logout: a page that asks, and the form that does it, so that no link and no other site can sign anybody out (LOG-02). Agents keep their
 * access: grants do not hang from sessions. Not here: logout begun by a client (OIDC RP-Initiated Logout).
 */
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page } from '../route.ts';
import { readParameters } from '../rules/read-body.ts';
import { signedOutPage, signOutPage } from '../views/sign-out-page.ts';
import { browserOf } from './browser-cookie.ts';
import { checkForm, type Form, formToken } from './form-token.ts';
import { currentSession, endSession, type SignedIn } from './session.ts';

/** GET /logout. */
export async function signOutForm(exchange: Exchange, context: Context): Promise<Answer> {
  const signedIn = await currentSession(exchange, context);
  const frame = pageFrame(exchange, context);
  if (!signedIn) return page(signedOutPage(frame));
  const browser = browserOf(exchange, context);
  const { username, name, email } = signedIn.user;
  const csrf = formToken(logoutForm(signedIn), browser, context);
  return page(signOutPage(frame, { csrf, user: { name: name ?? username, email } }), 200, browser.cookies);
}

/** POST /logout. */
export async function signOut(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  const signedIn = await currentSession(exchange, context);
  const frame = pageFrame(exchange, context);
  if (!signedIn) return page(signedOutPage(frame));
  checkForm(logoutForm(signedIn), form.get('csrf'), { exchange, context });
  const cookies = await endSession(signedIn, { exchange, context });
  return page(signedOutPage(frame), 200, cookies);
}

function logoutForm({ session }: SignedIn): Form {
  return { purpose: 'logout', subject: [session.idHash] };
}
