/**
 * GET and POST /reset: a person who cannot get in asks for a link by mail, and a link (also one that an operator made) sets a new password. Asking gives everybody the
 * same answer. A new password ends every browser session and leaves what agents may do, and a second factor, as they are.
 */
import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import { hashPassword } from '../crypto/password.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { type Parameters, parametersFromForm, refuseRepeated } from '../rules/parameters.ts';
import { passwordProblem } from '../rules/passwords/problem.ts';
import { readParameters } from '../rules/read-body.ts';
import type { OneTimeLink, User } from '../storage/store.ts';
import { newPasswordPage, type ResetProblem, resetDonePage, resetPage, resetSentPage } from '../views/reset-page.ts';
import { type Browser, browserOf } from './browser-cookie.ts';
import { checkForm, type Form, formToken } from './form-token.ts';
import { goesOut, mayAskForMail } from './mail-limits.ts';
import { mustBeOn } from './methods/email-code.ts';
import { linkClosed, linkPath, newLink, openLink } from './one-time-link.ts';
import { type Onward, onwardFields, onwardOf, queryOf } from './onward.ts';
import { throttled } from './throttled.ts';

const linkSeconds = 3600;

type Place = { browser: Browser; exchange: Exchange; context: Context };
type ResetLink = OneTimeLink & { userId: string };

/** GET /reset asks for a name; GET /reset?token=… for the new password. */
export async function resetForm(exchange: Exchange, context: Context): Promise<Answer> {
  mustBeOn(context.options.signIn.password);
  const query = parametersFromForm(new URL(exchange.request.url).search);
  const place = { browser: browserOf(exchange, context), exchange, context };
  const token = query.get('token');
  if (token === undefined) return askAnswer(onwardOf(query), {}, place);
  return passwordAnswer((await personOf(token, context)).user, undefined, { token, query, ...place });
}

/** POST /reset, with or without `token`. */
export async function reset(exchange: Exchange, context: Context): Promise<Answer> {
  mustBeOn(context.options.signIn.password);
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  const token = form.get('token');
  const browser = checkForm(formOf(token), form.get('csrf'), { exchange, context });
  const place = { browser, exchange, context };
  return token === undefined ? askForLink(form, place) : setPassword(token, form, place);
}

/** GET /reset/sent and GET /reset/done: what the forms lead to. */
export function resetSent(exchange: Exchange, context: Context): Answer {
  mustBeOn(context.options.signIn.password);
  return page(resetSentPage(pageFrame(exchange, context), { signInHref: signInHref(exchange, context) }));
}
export function resetDone(exchange: Exchange, context: Context): Answer {
  mustBeOn(context.options.signIn.password);
  return page(resetDonePage(pageFrame(exchange, context), { signInHref: signInHref(exchange, context), agentsHref: `${context.base}/account/agents` }));
}

async function askForLink(form: Parameters, place: Place): Promise<Answer> {
  const { exchange, context } = place;
  mustBeOn(context.mail.on);
  const onward = onwardOf(form);
  const login = (form.get('username') ?? '').trim().slice(0, 320);
  if (login === '') return { ...askAnswer(onward, { problem: 'missing' }, place), status: 400 };
  const allowance = await mayAskForMail(login, exchange.address, context);
  if (!allowance.allowed) {
    const { retryAfter } = allowance;
    return throttled(askAnswer(onward, { username: login, problem: 'throttled', retryAfterSeconds: retryAfter }, place), allowance);
  }
  const user = (await context.store.findUserByLogin(login))?.user;
  await sendLink((await goesOut({ user, login }, place)) ? user : undefined, onward, place);
  return redirect(`${context.base}/reset/sent${queryOf(onward)}`, place.browser.cookies);
}

/** The same work for everybody: without a person, or without a mailbox, a link is made that nobody gets and that opens nothing. */
async function sendLink(user: User | undefined, onward: Onward, { exchange, context }: Place): Promise<void> {
  const person = user?.email === undefined || user.disabledAt !== undefined ? undefined : { userId: user.id, to: user.email };
  const { link, token } = newLink({ purpose: 'reset', userId: person?.userId, lifetimeSeconds: linkSeconds }, context);
  const about = { userId: person?.userId, address: exchange.address, requestId: exchange.requestId };
  const event = auditEvent('user.reset_link_created', context.now(), 'anonymous', about);
  const { language: locale } = pageFrame(exchange, context);
  const message = { kind: 'reset-link' as const, to: person?.to ?? '', values: { path: linkPath('/reset', token, onwardFields(onward)) }, locale };
  await context.store.addLink(link, { replaces: false, sentTo: person?.to }, context.mail.with(event, message));
}

async function setPassword(token: string, form: Parameters, place: Place): Promise<Answer> {
  const { exchange, context } = place;
  const { link, user } = await personOf(token, context);
  const chosen = form.get('password') ?? '';
  const problem = await passwordProblem(chosen, user, context.options);
  if (problem !== undefined) return { ...passwordAnswer(user, problem, { token, query: form, ...place }), status: 400 };

  const about = { userId: user.id, address: exchange.address, requestId: exchange.requestId, detail: { link: link.id } };
  const changed = auditEvent('user.password_reset', context.now(), `user:${user.id}`, about);
  const event = { ...context.mail.notify(changed, { kind: 'password-changed', user }, exchange), userId: user.id };
  if (!(await context.store.resetPassword(link.id, await hashPassword(chosen), event))) throw linkClosed('reset');
  context.logouts.soon();
  return redirect(`${context.base}/reset/done${queryOf(onwardOf(form))}`, place.browser.cookies);
}

async function personOf(token: string, context: Context): Promise<{ link: ResetLink; user: User }> {
  const link = await openLink(token, ['reset'], context);
  const user = link.userId === undefined ? undefined : await context.store.findUser(link.userId);
  if (link.userId === undefined || !user) throw linkClosed('reset');
  return { link: { ...link, userId: link.userId }, user };
}

function formOf(token: string | undefined): Form {
  return { purpose: 'reset', subject: [token === undefined ? '' : sha256(token)] };
}

function signInHref(exchange: Exchange, { base }: Context): string {
  const onward = onwardFields(onwardOf(parametersFromForm(new URL(exchange.request.url).search)));
  return `${base}/login?${new URLSearchParams({ ...onward, switch: '1' })}`;
}

function askAnswer(onward: Onward, shown: { username?: string; problem?: ResetProblem; retryAfterSeconds?: number }, place: Place): Answer {
  const { browser, exchange, context } = place;
  const hidden = { ...onwardFields(onward), csrf: formToken(formOf(undefined), browser, context) };
  return page(resetPage(pageFrame(exchange, context), { ...shown, hidden, mail: context.mail.on }), 200, browser.cookies);
}

function passwordAnswer(
  user: User,
  problem: Awaited<ReturnType<typeof passwordProblem>>,
  { token, query, browser, exchange, context }: Place & { token: string; query: Parameters },
): Answer {
  const html = newPasswordPage(pageFrame(exchange, context), {
    hidden: { token, ...onwardFields(onwardOf(query)), csrf: formToken(formOf(token), browser, context) },
    username: user.username,
    minLength: context.options.signIn.passwordMinLength,
    problem,
  });
  return page(html, 200, browser.cookies);
}
