/**
 * /account/email: a person gets another e-mail address, by a link that is sent to it. Asking needs a recent sign-in and says the same whether the address is free or
 * somebody else's; the old address is told when it is done. The link proves the mailbox, the session proves the person: a mistyped address gives a stranger nothing.
 */
import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { parametersFromForm, refuseRepeated } from '../rules/parameters.ts';
import { isEmailAddress } from '../rules/person.ts';
import { readParameters } from '../rules/read-body.ts';
import type { User } from '../storage/store.ts';
import { type ChangeEmailPageValues, changeEmailPage, confirmEmailPage, emailChangedPage, signInFirstPage } from '../views/change-email-page.ts';
import { type Browser, browserOf } from './browser-cookie.ts';
import { checkForm, type Form, formToken } from './form-token.ts';
import { isFresh } from './fresh-sign-in.ts';
import { goesOut, mayAskForMail } from './mail-limits.ts';
import { mustBeOn } from './methods/email-code.ts';
import { linkClosed, linkPath, newLink, openLink } from './one-time-link.ts';
import { readSent, tokenFor } from './security/section.ts';
import { currentSession, type SignedIn } from './session.ts';
import { throttled } from './throttled.ts';

const linkSeconds = 3600;

type Place = { signedIn: SignedIn; browser: Browser; exchange: Exchange; context: Context };

/** GET /account/email. */
export async function changeEmailForm(exchange: Exchange, context: Context): Promise<Answer> {
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login?to=profile`);
  if (!isFresh(signedIn, context)) return redirect(`${context.base}/login?reason=confirm&to=profile`);
  const sent = parametersFromForm(new URL(exchange.request.url).search).get('sent') === '1';
  return formAnswer({ sent }, { signedIn, browser: browserOf(exchange, context), exchange, context });
}

/** POST /account/email with `email`. */
export async function askToChangeEmail(exchange: Exchange, context: Context): Promise<Answer> {
  const sent = await readSent('email', { exchange, context });
  if ('status' in sent) return sent;
  const { signedIn, form } = sent;
  mustBeOn(context.mail.on);
  if (!isFresh(signedIn, context)) return redirect(`${context.base}/login?reason=confirm&to=profile`);
  const email = (form.get('email') ?? '').trim();
  const place = { ...sent, exchange, context };
  if (!isEmailAddress(email)) return { ...formAnswer({ email, problem: 'invalid' }, place), status: 400 };
  const allowance = await mayAskForMail(email, exchange.address, context);
  if (!allowance.allowed) return throttled(formAnswer({ email, problem: 'throttled', retryAfterSeconds: allowance.retryAfter }, place), allowance);

  const { id: userId } = signedIn.user;
  const user = (await context.store.findUserByLogin(email))?.user;
  const to = (await goesOut({ user, login: email }, place)) ? email : '';
  const { link, token } = newLink({ purpose: 'email', userId, email, lifetimeSeconds: linkSeconds }, context);
  const about = { userId, address: exchange.address, requestId: exchange.requestId };
  const asked = auditEvent('user.email_change_asked', context.now(), `user:${userId}`, about);
  const { language: locale } = pageFrame(exchange, context);
  const message = { kind: 'email-link' as const, to, values: { path: linkPath('/account/email/confirm', token) }, locale };
  await context.store.addLink(link, { replaces: true }, context.mail.with(asked, message));
  return redirect(`${context.base}/account/email?sent=1`);
}

/** GET /account/email/confirm?token=… changes nothing: programs open links, too. */
export async function confirmEmailForm(exchange: Exchange, context: Context): Promise<Answer> {
  const token = parametersFromForm(new URL(exchange.request.url).search).get('token');
  const { user, email } = await changeOf(token, context);
  if (!(await isPerson(user, exchange, context))) return page(signInFirstPage(pageFrame(exchange, context)));
  const browser = browserOf(exchange, context);
  const csrf = formToken(confirmForm(token), browser, context);
  return page(confirmEmailPage(pageFrame(exchange, context), { csrf, token: token ?? '', email, username: user.username }), 200, browser.cookies);
}

/** POST /account/email/confirm with `token`. */
export async function confirmEmail(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  const token = form.get('token');
  checkForm(confirmForm(token), form.get('csrf'), { exchange, context });
  const { user, email, linkId } = await changeOf(token, context);
  if (!(await isPerson(user, exchange, context))) return page(signInFirstPage(pageFrame(exchange, context)), 403);

  const about = { userId: user.id, address: exchange.address, requestId: exchange.requestId, detail: { link: linkId } };
  const changed = auditEvent('user.email_changed', context.now(), `user:${user.id}`, about);
  const event = context.mail.notify(changed, { kind: 'email-changed', user }, exchange);
  if ((await context.store.changeEmail({ userId: user.id, email, linkId }, event)) !== 'changed') throw linkClosed('email');
  return page(emailChangedPage(pageFrame(exchange, context), { email }));
}

/** Whoever reads the new mailbox may be a stranger to the account, and must not even learn its name. */
async function isPerson(user: User, exchange: Exchange, context: Context): Promise<boolean> {
  return (await currentSession(exchange, context))?.user.id === user.id;
}

async function changeOf(token: string | undefined, context: Context): Promise<{ user: User; email: string; linkId: string }> {
  const { id: linkId, userId, email } = await openLink(token, ['email'], context);
  const user = userId === undefined ? undefined : await context.store.findUser(userId);
  if (!user || email === undefined) throw linkClosed('email');
  return { user, email, linkId };
}

function confirmForm(token: string | undefined): Form {
  return { purpose: 'email', subject: [sha256(token ?? '')] };
}

function formAnswer(shown: Pick<ChangeEmailPageValues, 'sent' | 'email' | 'problem' | 'retryAfterSeconds'>, place: Place): Answer {
  const { signedIn, browser, exchange, context } = place;
  const { username, name, email } = signedIn.user;
  const frame = pageFrame(exchange, context, exchange.request.method === 'GET' ? undefined : `${context.base}/account/email`);
  const html = changeEmailPage(frame, {
    csrf: tokenFor('email', { signedIn, browser, context }),
    user: { name: name ?? username, email },
    command: context.mail.on ? undefined : `auth-agent users set-email ${username} <address>`,
    ...shown,
  });
  return page(html, 200, browser.cookies);
}
