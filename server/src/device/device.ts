/**
 * GET and POST /device (RFC 8628 §3.3): a signed-in person enters the code of a device, compares it, reads who asks from where, and decides. A GET changes nothing and
 * looks nothing up; what is known of a code is told only to whoever entered it, in few tries. Not here: what the device gets (token/grants/device-code.ts).
 */
import { type Browser, browserOf } from '../account/browser-cookie.ts';
import { checkForm, type Form, formToken } from '../account/form-token.ts';
import { guardedScopes, isFresh } from '../account/fresh-sign-in.ts';
import { currentSession, type SignedIn } from '../account/session.ts';
import { throttled } from '../account/throttled.ts';
import { auditEvent } from '../audit/event.ts';
import { accessesOf } from '../authorize/asked-for.ts';
import { chosenDuration, durationMark } from '../authorize/duration.ts';
import type { Context, Exchange } from '../context.ts';
import { equalSecrets } from '../crypto/hash.ts';
import { OAuthError } from '../errors.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { readUserCode, shownUserCode } from '../rules/device-grant.ts';
import { type Parameters, parametersFromForm } from '../rules/parameters.ts';
import { readParameters } from '../rules/read-body.ts';
import { type DeviceEntryValues, deviceConfirmPage, deviceDonePage, deviceEntryPage } from '../views/device-page.ts';
import { approve, deny } from './decision.ts';
import { type AskingDevice, askingDevice, confirmValues } from './question.ts';
import { mayEnter, userCodeHash, wasRight } from './user-code.ts';

type Place = { browser: Browser; signedIn: SignedIn; exchange: Exchange; context: Context };

/** GET /device, with `user_code` where the device gave its person the whole address. */
export async function deviceForm(exchange: Exchange, context: Context): Promise<Answer> {
  const userCode = readUserCode(parametersFromForm(new URL(exchange.request.url).search).get('user_code'));
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return signInFirst(userCode, context);

  const place = { browser: browserOf(exchange, context), signedIn, exchange, context };
  return entryAnswer({ userCode: userCode && shownUserCode(userCode), prefilled: userCode !== undefined }, place);
}

/** POST /device: an entered code, or a decision. */
export async function device(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  if (form.repeated.some((name) => name !== 'scope')) throw new OAuthError('invalid_request', 'A parameter is repeated');
  const typed = form.get('user_code');
  const userCode = readUserCode(typed);
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return signInFirst(userCode, context);

  const place = { browser: browserOf(exchange, context), signedIn, exchange, context };
  return form.get('decision') === undefined ? enter({ typed, userCode }, form, place) : decide(userCode, form, place);
}

function signInFirst(userCode: string | undefined, context: Context): Answer {
  return redirect(`${context.base}/login?to=device${userCode === undefined ? '' : `&user_code=${shownUserCode(userCode)}`}`);
}

function needsConfirmation({ device: { request, createdAt }, targets, signedIn }: AskingDevice, context: Context): boolean {
  const guarded = accessesOf(request).some(({ scope }, index) => guardedScopes(scope, targets[index]?.scopes ?? [], context).length > 0);
  return guarded && !isFresh(signedIn, context, createdAt);
}

function confirmFirst(userCode: string, context: Context): Answer {
  return redirect(`${context.base}/login?reason=confirm&to=device&user_code=${shownUserCode(userCode)}`);
}

/** DEV-06: a code that is wrong, over or used up reads the same. */
async function enter({ typed, userCode }: { typed?: string; userCode?: string }, form: Parameters, place: Place): Promise<Answer> {
  const { signedIn, exchange, context } = place;
  checkForm(entryForm(signedIn), form.get('csrf'), { exchange, context });
  if (typed === undefined) return { ...entryAnswer({ error: 'missing' }, place), status: 400 };
  const guesser = { userId: signedIn.user.id, address: exchange.address };
  const allowance = await mayEnter(guesser, context);
  if (!allowance.allowed) return throttled(entryAnswer({ error: 'throttled', retryAfterSeconds: allowance.retryAfter }, place), allowance);

  const found = userCode === undefined ? undefined : await context.store.findWaitingDevice(userCodeHash(userCode, context), context.now());
  if (userCode === undefined || !found) {
    await context.store.recordEvent(wrongCode(place));
    return { ...entryAnswer({ userCode: typed.slice(0, 40), error: 'unknown' }, place), status: 400 };
  }
  await wasRight(guesser, context);
  const asking = await askingDevice({ device: found, userCode, signedIn }, exchange, context);
  return needsConfirmation(asking, context) ? confirmFirst(userCode, context) : confirmAnswer(asking, place);
}

/** The form proves that this person entered this code, so there is nothing to guess here (and nothing is looked up before). */
async function decide(userCode: string | undefined, form: Parameters, place: Place): Promise<Answer> {
  const { signedIn, exchange, context, browser } = place;
  const [proof, pageProof] = (form.get('csrf') ?? '').split('.');
  checkForm(codeForm(signedIn, userCode, context), proof, { exchange, context });
  const decision = form.get('decision');
  if (decision !== 'allow' && decision !== 'deny') throw new OAuthError('invalid_request', 'decision must be allow or deny');
  const found = userCode === undefined ? undefined : await context.store.findWaitingDevice(userCodeHash(userCode, context), context.now());
  if (userCode === undefined || !found) throw alreadyDecided();
  if (decision === 'deny') {
    if ((await deny(found, place)) === 'answered') throw alreadyDecided();
    return page(deviceDonePage(pageFrame(exchange, context), { allowed: false }));
  }

  const asking = await askingDevice({ device: found, userCode, signedIn }, exchange, context);
  if (needsConfirmation(asking, context)) return confirmFirst(asking.userCode, context);
  // Another description of the app, or other boxes, are another question to read.
  if (!equalSecrets(pageProof ?? '', formToken(pageForm(asking), browser, context))) return confirmAnswer(asking, place);
  if ((await approve(asking, { ticked: form.all('scope'), duration: chosenDuration(form.get('duration'), asking.shown.durations) }, place)) === 'answered')
    throw alreadyDecided();
  return page(deviceDonePage(pageFrame(exchange, context), { allowed: true }));
}

function entryAnswer(values: Omit<DeviceEntryValues, 'csrf' | 'user' | 'lifetimeSeconds'>, { browser, signedIn, exchange, context }: Place): Answer {
  const { name, username, email } = signedIn.user;
  const csrf = formToken(entryForm(signedIn), browser, context);
  const lifetimeSeconds = context.options.deviceCodeSeconds;
  const html = deviceEntryPage(pageFrame(exchange, context, devicePlace(values.userCode, context)), {
    ...values,
    csrf,
    user: { name: name ?? username, email },
    lifetimeSeconds,
  });
  return page(html, 200, browser.cookies);
}

function confirmAnswer(asking: AskingDevice, { browser, signedIn, exchange, context }: Place): Answer {
  const csrf = [codeForm(signedIn, asking.userCode, context), pageForm(asking)].map((form) => formToken(form, browser, context)).join('.');
  const frame = pageFrame(exchange, context, devicePlace(shownUserCode(asking.userCode), context));
  return page(deviceConfirmPage(frame, { ...confirmValues(asking), csrf }), 200, browser.cookies);
}

/** Where the code is entered, for who comes back in another language. */
function devicePlace(userCode: string | undefined, { base }: Context): string {
  const code = readUserCode(userCode);
  return `${base}/device${code === undefined ? '' : `?user_code=${shownUserCode(code)}`}`;
}

function entryForm({ session }: SignedIn): Form {
  return { purpose: 'device', subject: [session.idHash] };
}

/** The form belongs to this code and to this person's session. */
function codeForm({ session }: SignedIn, userCode: string | undefined, context: Context): Form {
  return { purpose: 'device', subject: [session.idHash, userCodeHash(userCode ?? '', context)] };
}

/** What stood on the page. */
function pageForm({ device: { codeHash }, clientDigest, signedIn, optional, shown }: AskingDevice): Form {
  return { purpose: 'device', subject: [signedIn.session.idHash, codeHash, clientDigest, durationMark(shown.durations), ...optional] };
}

function alreadyDecided(): OAuthError {
  return new OAuthError('request_expired', 'The device was answered before, or its code is over').onPage({ case: 'deviceDecided' });
}

function wrongCode({ signedIn: { user }, exchange, context }: Place) {
  const about = { userId: user.id, address: exchange.address, requestId: exchange.requestId };
  return auditEvent('device.wrong_code', context.now(), `user:${user.id}`, about);
}
