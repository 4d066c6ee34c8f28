/**
 * GET and POST /login: the person shows who they are (LOG-01 … LOG-06, LOG-08). What follows is named by a transaction id, never by a URL (LOG-04). Not here:
 * how credentials are checked (methods/), what the session is (session.ts), what the request behind it asks for (authorize/).
 */
import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { pageFrame } from '../page-frame.ts';
import { noteLanguage } from '../page-language.ts';
import { type Answer, json, page, redirect } from '../route.ts';
import { meetsAcr } from '../rules/acr.ts';
import { type Parameters, parametersFromForm, refuseRepeated } from '../rules/parameters.ts';
import { readParameters } from '../rules/read-body.ts';
import { targetOf } from '../servers/resource.ts';
import type { Client, ParkedRequest } from '../storage/store.ts';
import { type SignInPageValues, signInPage } from '../views/sign-in-page.ts';
import { type Browser, browserOf } from './browser-cookie.ts';
import { accountsPlace } from './choose-account.ts';
import { clientView, knownClient, waitingRequest } from './client-view.ts';
import { finishSignIn } from './finish-sign-in.ts';
import { checkForm, type Form, formToken } from './form-token.ts';
import { canConfirm, guardedScopes } from './fresh-sign-in.ts';
import { heldSessions, holdsOthers } from './held-sessions.ts';
import { emailCodeOn } from './methods/email-code.ts';
import { methodOf } from './methods/index.ts';
import { password } from './methods/password.ts';
import { demandedBy, offeredUpstreams } from './methods/upstream.ts';
import { nextPlace, type Onward, onwardOf, queryOf, signInPlace } from './onward.ts';
import { parkedRequest } from './parked-request.ts';
import { challengeSeconds, newChallenge, passkeysOn, relyingParty } from './passkey-challenge.ts';
import { currentSession, type SignedIn } from './session.ts';
import { checkSetUp } from './set-up.ts';
import { forgive, mayTry } from './sign-in-limits.ts';
import { signUpIsOpen } from './sign-up-open.ts';
import { throttled } from './throttled.ts';

/** GET /login: the form, unless somebody is signed in and nothing asks for the form all the same (`switch`, or a confirmation). */
export async function signInForm(exchange: Exchange, context: Context): Promise<Answer> {
  const query = parametersFromForm(new URL(exchange.request.url).search);
  const onward = onwardOf(query);
  const signedIn = await currentSession(exchange, context);
  const confirming = isConfirming(query) && signedIn !== undefined;
  if (signedIn && !confirming && query.get('switch') === undefined) return redirect(nextPlace(onward, context));

  if (!confirming && query.get('switch') !== 'new' && (await mayChoose({ exchange, context }))) return redirect(accountsPlace(onward, context));
  if (!signedIn) await checkSetUp(context);
  const browser = browserOf(exchange, context);
  if (onward.tx !== undefined) await parkedRequest(onward.tx, browser, context);
  return signInAnswer({ ...onward, ...reasonOf(query, confirming ? signedIn : undefined) }, { browser, exchange, context });
}

/** Whether others than the one who acts are signed in here: then one of them may be meant. */
async function mayChoose(place: { exchange: Exchange; context: Context }): Promise<boolean> {
  if (!holdsOthers(place)) return false;
  const held = await heldSessions(place);
  return held.length > ((await currentSession(place.exchange, place.context)) ? 1 : 0);
}

/** POST /login. */
export async function signIn(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  const onward = onwardOf(form);
  const browser = checkForm(loginForm(onward.tx), form.get('csrf'), { exchange, context });

  const method = methodOf(form, context);
  const login = method.login(form) ?? '';
  const reason = reasonOf(form, await confirmingIn(form, { exchange, context }));
  const again = (problem: Partial<SignInPageValues>) =>
    signInAnswer({ ...onward, username: form.get('username')?.trim().slice(0, 320), ...reason, ...problem }, { browser, exchange, context });
  const allowance = await mayTry(login, exchange.address, context);
  if (!allowance.allowed) return throttled(await again({ error: 'throttled', retryAfterSeconds: allowance.retryAfter }), allowance);

  const verdict = await method.verify(form, { browser, exchange, context });
  if (verdict.refused !== undefined) {
    await context.store.recordEvent(failure(login, verdict.user?.id, exchange, context));
    return { ...(await again({ error: verdict.refused })), status: 400 };
  }
  await forgive(login, exchange.address, context);
  const keep = form.get('keep') === '1';
  return finishSignIn({ user: verdict.user, amr: verdict.amr ?? method.amr, keep, onward }, { exchange, context });
}

/** POST /login/passkey: what the script of the page asks an authenticator with (WebAuthn §5.5). Names no credential, so it tells nobody who has one here. */
export async function passkeyRequest(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  const browser = checkForm(loginForm(form.get('tx')), form.get('csrf'), { exchange, context });
  if (!passkeysOn(context.options)) throw new OAuthError('not_found', 'Passkeys are switched off here');
  const challenge = newChallenge({ type: 'webauthn.get' }, browser, context);
  return json({ challenge, rpId: relyingParty(context).id, userVerification: 'required', timeout: challengeSeconds * 1000 });
}

/** What the server knows by itself of a sign-in page. */
type Offered =
  | 'cannotConfirm'
  | 'csrf'
  | 'client'
  | 'signInHint'
  | 'passkeys'
  | 'stronger'
  | 'upstreams'
  | 'emailCode'
  | 'passwordless'
  | 'resetHref'
  | 'signUpHref';

/** The sign-in page, for this room and for /authorize, which shows it at once when nobody is signed in, and need not be told what it has just `begun`. */
export async function signInAnswer(
  values: Omit<SignInPageValues, Offered>,
  place: { browser: Browser; exchange: Exchange; context: Context },
  begun?: { parked: ParkedRequest; client: Client },
): Promise<Answer> {
  const { browser, exchange, context } = place;
  const { tx } = values;
  const parked = begun?.parked ?? (await waitingRequest(tx, browser, context));
  const client = begun?.client ?? (parked && (await knownClient(parked.request.clientId, context)));
  const target = parked && values.reason === 'confirm' ? await targetOf(parked.request.resource, context) : undefined;
  const demand = values.reason === 'confirm' ? await confirmationDemand(exchange, context) : { again: demandedBy(parked?.request) };
  const upstreams = await offeredUpstreams(demand, context);
  const passwordless = !context.options.signIn.password;
  noteLanguage(exchange, { asked: parked?.request.language });
  // Shown by /authorize or after a form, it has an address of its own all the same.
  const isForm = exchange.request.method === 'GET' && new URL(exchange.request.url).pathname === `${context.base}/login`;
  const frame = isForm ? pageFrame(exchange, context) : pageFrame(exchange, context, signInPlace(values, context, values.reason === 'confirm'));
  const html = signInPage(frame, {
    ...values,
    unlocks: parked && target && guardedScopes(parked.request.scope, target.scopes, context),
    username: values.username ?? parked?.request.loginHint,
    csrf: formToken(loginForm(tx), browser, context),
    client: client && (await clientView(client, context)),
    signInHint: context.options.signInHint,
    upstreams,
    passkeys: passkeysOn(context.options),
    stronger: !meetsAcr(password.amr, parked?.request.acrValues),
    // Whoever came back from an upstream to link it stays in this one form.
    emailCode: emailCodeOn(context.options) && (passwordless || values.arrival === undefined),
    passwordless,
    cannotConfirm: values.reason === 'confirm' ? await cannotConfirm(exchange, context) : undefined,
    ...linksBeside(values, context),
  });
  return page(html, 200, browser.cookies);
}

/** Somebody who signs in only where nothing can be proven again: a password is not theirs to type, and no passkey is there to be asked. */
async function cannotConfirm(exchange: Exchange, context: Context): Promise<SignInPageValues['cannotConfirm']> {
  const user = (await currentSession(exchange, context))?.user;
  const { options, store } = context;
  if (!user || (await canConfirm(user, context))) return undefined;
  const [linked, upstreams] = await Promise.all([store.listUpstreamIdentities(user.id), store.listUpstreams()]);
  const names = upstreams.filter(({ id }) => linked.some(({ upstreamId }) => upstreamId === id)).map(({ name }) => name);
  return names.length === 0 ? undefined : { names, minutes: Math.max(1, Math.floor(options.reauthenticate.withinSeconds / 60)) };
}

/** Ways on for whoever cannot sign in. Nobody who confirms who they are makes another account. */
function linksBeside(values: Onward & Pick<SignInPageValues, 'reason'>, { base, options }: Context): Pick<SignInPageValues, 'resetHref' | 'signUpHref'> {
  const query = queryOf(values);
  const mayBeNew = signUpIsOpen(options) && values.reason !== 'confirm';
  return { resetHref: options.signIn.password ? `${base}/reset${query}` : undefined, signUpHref: mayBeNew ? `${base}/signup${query}` : undefined };
}

export function loginForm(tx: string | undefined): Form {
  return { purpose: 'login', subject: [tx ?? ''] };
}

/** Only what the person signs in with anyway can confirm them, and only where it asks again. */
async function confirmationDemand(exchange: Exchange, context: Context) {
  return { again: { maxAge: 0 }, userId: (await currentSession(exchange, context))?.user.id };
}

/** Carried by every form on the way, or a mistyped password would make the confirmation a plain sign-in. */
export function isConfirming(given: Parameters): boolean {
  return given.get('reason') === 'confirm';
}

/** The one who confirms who they are. Undefined when nobody does, or nobody is signed in any more. */
export async function confirmingIn(given: Parameters, { exchange, context }: { exchange: Exchange; context: Context }): Promise<SignedIn | undefined> {
  return isConfirming(given) ? currentSession(exchange, context) : undefined;
}

export function reasonOf(query: Parameters, confirming: SignedIn | undefined): Partial<SignInPageValues> {
  if (confirming) return { reason: 'confirm', username: confirming.user.username };
  return query.get('reason') === 'signed-out' ? { reason: 'signed-out' } : {};
}

function failure(login: string, userId: string | undefined, exchange: Exchange, context: Context) {
  const about = { userId, address: exchange.address, requestId: exchange.requestId };
  // People type passwords into the name field: the record keeps a keyed hash that still groups tries, not the text.
  const detail = { login: context.instance.mac('sign-in name', login.toLowerCase()).slice(0, 16) };
  return auditEvent('user.sign_in_failed', context.now(), 'anonymous', { ...about, detail });
}
