/**
 * GET and POST /signup: somebody without an account gives an e-mail address. Whether it has an account shows only in the mail. No name and no password is asked for
 * before the mailbox is proven: else whoever signs up first with a stranger's address would have chosen the stranger's password. Not here: the account (new-account.ts).
 */
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page } from '../route.ts';
import { parametersFromForm, refuseRepeated } from '../rules/parameters.ts';
import { isEmailAddress } from '../rules/person.ts';
import { readParameters } from '../rules/read-body.ts';
import { type SignUpProblem, signUpPage } from '../views/sign-up-page.ts';
import { type Browser, browserOf } from './browser-cookie.ts';
import { waitingClient } from './client-view.ts';
import { checkForm, type Form, formToken } from './form-token.ts';
import { goesOut, mayAskForMail } from './mail-limits.ts';
import { mustBeOn } from './methods/email-code.ts';
import { type Onward, onwardFields, onwardOf, queryOf } from './onward.ts';
import { sendCode } from './send-code.ts';
import { signUpIsOpen } from './sign-up-open.ts';
import { throttled } from './throttled.ts';

type Place = { browser: Browser; exchange: Exchange; context: Context };

/** GET /signup. */
export function signUpForm(exchange: Exchange, context: Context): Promise<Answer> {
  mustBeOn(signUpIsOpen(context.options));
  const onward = onwardOf(parametersFromForm(new URL(exchange.request.url).search));
  return signUpAnswer(onward, {}, { browser: browserOf(exchange, context), exchange, context });
}

/** POST /signup. */
export async function signUp(exchange: Exchange, context: Context): Promise<Answer> {
  mustBeOn(signUpIsOpen(context.options));
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  const onward = onwardOf(form);
  const browser = checkForm(formOf(onward), form.get('csrf'), { exchange, context });
  const place = { browser, exchange, context };

  const email = (form.get('email') ?? '').trim().slice(0, 320);
  if (!isEmailAddress(email)) return { ...(await signUpAnswer(onward, { email, problem: email === '' ? 'missing' : 'invalid' }, place)), status: 400 };
  const allowance = await mayAskForMail(email, exchange.address, context);
  if (!allowance.allowed) {
    const { retryAfter } = allowance;
    return throttled(await signUpAnswer(onward, { email, problem: 'throttled', retryAfterSeconds: retryAfter }, place), allowance);
  }

  const user = (await context.store.findUserByLogin(email))?.user;
  const to = (await goesOut({ user, login: email }, place)) ? email : '';
  return sendCode(
    { purpose: 'sign-up', email, answerable: user === undefined && to !== '', onward },
    (event, values, locale) =>
      user
        ? context.mail.with(event, { kind: 'account-exists', to, values: { path: `/login${queryOf(onward)}` }, locale })
        : context.mail.with(event, { kind: 'sign-up-code', to, values, locale }),
    place,
  );
}

function formOf({ tx }: Onward): Form {
  return { purpose: 'sign-up', subject: [tx ?? ''] };
}

type Shown = { email?: string; problem?: SignUpProblem; retryAfterSeconds?: number };

async function signUpAnswer(onward: Onward, shown: Shown, { browser, exchange, context }: Place): Promise<Answer> {
  const html = signUpPage(pageFrame(exchange, context), {
    ...shown,
    hidden: { ...onwardFields(onward), csrf: formToken(formOf(onward), browser, context) },
    client: await waitingClient(onward.tx, browser, context),
  });
  return page(html, 200, browser.cookies);
}
