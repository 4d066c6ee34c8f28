/**
 * The section of the password: choosing another, a first one, or doing without. What agents may do stays; other browsers are signed out unless the person says
 * otherwise. Not here: reset links and forgotten passwords.
 */
import { auditEvent } from '../../audit/event.ts';
import type { Context, Exchange } from '../../context.ts';
import { hashPassword } from '../../crypto/password.ts';
import { pageFrame } from '../../page-frame.ts';
import { type Answer, page, redirect } from '../../route.ts';
import { type PasswordProblem, passwordProblem } from '../../rules/passwords/problem.ts';
import { passwordPage } from '../../views/password-page.ts';
import { passwordView } from '../../views/security/password.ts';
import { mayAddWay } from '../fresh-sign-in.ts';
import { mustBeOn } from '../methods/email-code.ts';
import { waysOn } from '../ways-in.ts';
import { backWith, type OwnPage, ownPage, readSent, type Section, tokenFor } from './section.ts';

export const passwordSection: Section = async (visit) => {
  const { context, signedIn, mayAdd, frame } = visit;
  if (!context.options.signIn.password) return undefined;
  const { id } = signedIn.user;
  const [hasPassword, ways] = await Promise.all([context.store.hasPassword(id), context.store.countWaysIn(id, waysOn(context))]);
  return passwordView(frame, { csrf: { remove: tokenFor('password/remove', visit) }, recent: mayAdd, hasPassword, onlyWayIn: ways <= 1 });
};

/** GET /.well-known/change-password: where password managers look (W3C, A Well-Known URL for Changing Passwords). */
export function passwordAddress(_exchange: Exchange, { base, options }: Context): Answer {
  mustBeOn(options.signIn.password);
  return redirect(`${base}/account/security/password`);
}

/** GET /account/security/password. */
export async function passwordForm(exchange: Exchange, context: Context): Promise<Answer> {
  mustBeOn(context.options.signIn.password);
  const visit = await ownPage(exchange, context, mayAddWay);
  return 'status' in visit ? visit : formAnswer(undefined, visit);
}

/** POST /account/security/password. The sign-in is recent, so the old password is not asked for again. */
export async function changePassword(exchange: Exchange, context: Context): Promise<Answer> {
  mustBeOn(context.options.signIn.password);
  const sent = await readSent('password', { exchange, context }, { recent: mayAddWay });
  if ('status' in sent) return sent;
  const { form, signedIn } = sent;
  const { user, session } = signedIn;
  const chosen = form.get('password') ?? '';
  const problem = await passwordProblem(chosen, user, context.options);
  if (problem) return { ...(await formAnswer(problem, { ...sent, exchange, context })), status: 400 };

  const keeping = form.get('others') === '1' ? session.idHash : undefined;
  const change = { userId: user.id, passwordHash: await hashPassword(chosen), keeping };
  const changed = event('user.password_changed', user.id, { exchange, context });
  await context.store.setPassword(change, context.mail.notify(changed, { kind: 'password-changed', user }, exchange));
  context.logouts.soon();
  return backWith('password-changed', signedIn, context);
}

/** POST /account/security/password/remove. */
export async function removePassword(exchange: Exchange, context: Context): Promise<Answer> {
  mustBeOn(context.options.signIn.password);
  const sent = await readSent('password/remove', { exchange, context }, { recent: true });
  if ('status' in sent) return sent;
  const { id: userId } = sent.signedIn.user;
  const removal = { userId, ways: waysOn(context) };
  const outcome = await context.store.removePassword(removal, event('user.password_removed', userId, { exchange, context }));
  return backWith(outcome === 'last' ? 'password-last' : 'password-removed', sent.signedIn, context);
}

async function formAnswer(problem: PasswordProblem | undefined, { signedIn, browser, exchange, context }: OwnPage): Promise<Answer> {
  const { user } = signedIn;
  const html = passwordPage(pageFrame(exchange, context), {
    csrf: tokenFor('password', { signedIn, browser, context }),
    username: user.email ?? user.username,
    hasPassword: await context.store.hasPassword(user.id),
    minLength: context.options.signIn.passwordMinLength,
    problem,
  });
  return page(html, 200, browser.cookies);
}

function event(type: 'user.password_changed' | 'user.password_removed', userId: string, { exchange, context }: { exchange: Exchange; context: Context }) {
  return auditEvent(type, context.now(), `user:${userId}`, { userId, address: exchange.address, requestId: exchange.requestId });
}
