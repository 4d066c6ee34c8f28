/**
 * POST /login/code: somebody wants to sign in with a code sent to their e-mail address. The code opens nothing outside the browser that asked for it. Not here:
 * entering it (enter-code.ts), the way to sign in as a method (methods/email-code.ts).
 */
import type { Context, Exchange } from '../context.ts';
import type { Answer } from '../route.ts';
import { refuseRepeated } from '../rules/parameters.ts';
import { isEmailAddress } from '../rules/person.ts';
import { readParameters } from '../rules/read-body.ts';
import type { User } from '../storage/store.ts';
import { checkForm } from './form-token.ts';
import { goesOut, mayAskForMail } from './mail-limits.ts';
import { emailCodeOn, mustBeOn } from './methods/email-code.ts';
import { onwardOf } from './onward.ts';
import { sendCode } from './send-code.ts';
import { confirmingIn, isConfirming, loginForm, reasonOf, signInAnswer } from './sign-in.ts';
import { throttled } from './throttled.ts';

/** POST /login/code. */
export async function requestCode(exchange: Exchange, context: Context): Promise<Answer> {
  mustBeOn(emailCodeOn(context.options));
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  const onward = onwardOf(form);
  const browser = checkForm(loginForm(onward.tx), form.get('csrf'), { exchange, context });
  const place = { browser, exchange, context };

  const reason = reasonOf(form, await confirmingIn(form, { exchange, context }));
  const login = (form.get('username') ?? '').trim().slice(0, 320);
  if (login === '') return { ...(await signInAnswer({ ...onward, ...reason, error: 'no-name' }, place)), status: 400 };
  const allowance = await mayAskForMail(login, exchange.address, context);
  if (!allowance.allowed) {
    const { retryAfter } = allowance;
    return throttled(await signInAnswer({ ...onward, username: login, ...reason, error: 'throttled', retryAfterSeconds: retryAfter }, place), allowance);
  }

  const user = (await context.store.findUserByLogin(login))?.user;
  const person = (await goesOut({ user, login }, { exchange, context })) ? recipientOf(user) : undefined;
  // What was typed is shown again, never what the account has: that would tell who has an account.
  const { userId, email: sentTo } = person ?? {};
  const asked = { userId, sentTo, email: isEmailAddress(login) ? login : undefined, answerable: person !== undefined };
  return sendCode(
    { ...asked, purpose: 'sign-in', onward, keep: form.get('keep') === '1', confirming: isConfirming(form) },
    (event, values, locale) => context.mail.with(event, { kind: 'sign-in-code', to: sentTo ?? '', values, locale }),
    place,
  );
}

function recipientOf(user: User | undefined): { userId: string; email: string } | undefined {
  return user?.email === undefined || user.disabledAt !== undefined ? undefined : { userId: user.id, email: user.email };
}
