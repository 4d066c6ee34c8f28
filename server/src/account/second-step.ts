/**
 * GET and POST /login/second: the second step of a sign-in, for people who have set one up (LOG-11, LOG-22). Nobody is signed in before it. Not here: what a code is worth
 * (second-factor.ts), what is carried between the steps (pending-sign-in.ts).
 */
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { parametersFromForm, refuseRepeated } from '../rules/parameters.ts';
import { readParameters } from '../rules/read-body.ts';
import type { User } from '../storage/store.ts';
import { recoveryUsedPage, type SecondStepProblem, secondStepPage } from '../views/second-step-page.ts';
import { type Browser, browserOf } from './browser-cookie.ts';
import { checkForm, type Form, formToken } from './form-token.ts';
import { nextPlace, type Onward, onwardFields, onwardOf, queryOf } from './onward.ts';
import { endPendingSignIn, type PendingSignIn, pendingSignIn } from './pending-sign-in.ts';
import { forgiveCodes, mayTryCode, type SecondStep, secondStepAmr, secondStepEvent, useCode } from './second-factor.ts';
import { beginSession } from './session.ts';
import { throttled } from './throttled.ts';

type Place = { browser: Browser; exchange: Exchange; context: Context };
type Pending = PendingSignIn & { proof: string };

/** GET /login/second. */
export async function secondStepForm(exchange: Exchange, context: Context): Promise<Answer> {
  const place = { browser: browserOf(exchange, context), exchange, context };
  const pending = pendingSignIn(place.browser, exchange, context);
  return pending ? formAnswer(pending, {}, place) : beginAgain(onwardOf(parametersFromForm(new URL(exchange.request.url).search)), context);
}

/** POST /login/second. */
export async function secondStep(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  const pending = pendingSignIn(browserOf(exchange, context), exchange, context);
  if (!pending) return beginAgain(onwardOf(form), context);
  const browser = checkForm(formOf(pending), form.get('csrf'), { exchange, context });
  const place = { browser, exchange, context };
  const allowance = await mayTryCode(pending.userId, exchange.address, context);
  if (!allowance.allowed) {
    const { retryAfter } = allowance;
    return throttled(formAnswer(pending, { problem: 'throttled', retryAfterSeconds: retryAfter }, place), allowance);
  }

  const user = await context.store.findUser(pending.userId);
  // Before a code is used up for nothing: the password that was the first step is not theirs any more.
  if (user && user.sessionEpoch !== pending.epoch) return beginAgain(pending.onward, context);
  const step = user && user.disabledAt === undefined ? await useCode(form.get('code') ?? '', user.id, place) : undefined;
  if (!user || !step) {
    await context.store.recordEvent(secondStepEvent('second_factor.failed', pending.userId, place));
    return { ...formAnswer(pending, { problem: 'wrong' }, place), status: 400 };
  }
  await forgiveCodes(user.id, exchange.address, context);
  return letIn(user, step, pending, place);
}

async function letIn(user: User, step: SecondStep, { keep, amr, onward }: Pending, { exchange, context }: Place): Promise<Answer> {
  const facts = { keep, amr: [...new Set([...amr, ...secondStepAmr[step]])] };
  const cookies = [...(await beginSession(user, facts, { exchange, context })), endPendingSignIn(context)];
  const onwardHref = nextPlace(onward, context);
  if (step === 'app') return redirect(onwardHref, cookies);
  const left = (await context.store.findSecondFactor(user.id))?.recoveryCodesLeft ?? 0;
  return page(recoveryUsedPage(pageFrame(exchange, context), { left, onwardHref }), 200, cookies);
}

/** Too late, or another browser: the first step is to be done again, for the same place. */
function beginAgain(onward: Onward, { base }: Context): Answer {
  return redirect(`${base}/login${queryOf(onward)}`);
}

function formAnswer(pending: Pending, shown: { problem?: SecondStepProblem; retryAfterSeconds?: number }, { browser, exchange, context }: Place): Answer {
  const csrf = formToken(formOf(pending), browser, context);
  return page(secondStepPage(pageFrame(exchange, context), { ...shown, csrf, onward: onwardFields(pending.onward) }), 200, browser.cookies);
}

function formOf({ proof }: Pending): Form {
  return { purpose: 'second-step', subject: [proof] };
}
