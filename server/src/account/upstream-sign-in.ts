/**
 * POST /login/upstream and GET /login/upstream/:id/callback: the way to an upstream and back (LOG-07, CON-04). It begins with a form of ours and ends in the browser
 * that began it; what comes back says who somebody is, never where to go. Whoever is linked is signed in; a stranger is asked first (first-time.ts).
 */
import { auditEvent } from '../audit/event.ts';
import { addressBucket } from '../clients/address-bucket.ts';
import type { Context, Exchange } from '../context.ts';
import { randomId } from '../crypto/random.ts';
import { OAuthError } from '../errors.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { parametersFromForm, refuseRepeated } from '../rules/parameters.ts';
import { isSameAddress } from '../rules/person.ts';
import { readParameters } from '../rules/read-body.ts';
import type { Upstream } from '../storage/store.ts';
import { causesOf, UpstreamFailure } from '../upstream/failure.ts';
import type { Profile, UpstreamPerson } from '../upstream/person.ts';
import { providerOf } from '../upstream/provider.ts';
import { recipes } from '../upstream/recipes.ts';
import { upstreamLeavePage } from '../views/upstream-leave-page.ts';
import { type Browser, browserOf } from './browser-cookie.ts';
import { finishSignIn } from './finish-sign-in.ts';
import { checkForm } from './form-token.ts';
import { demandedBy } from './methods/upstream.ts';
import { invitationOf } from './one-time-link.ts';
import { onwardOf } from './onward.ts';
import { isTransaction, parkedRequest } from './parked-request.ts';
import { currentSession, type SignedIn } from './session.ts';
import { loginForm } from './sign-in.ts';
import { problemAnswer, type Trouble } from './upstream-problem.ts';
import { type Away, keepArrival, keepAway, type Shown, takeAway } from './upstream-visit.ts';

type Place = { browser: Browser; exchange: Exchange; context: Context };

/** How far the clock of an upstream may be off. */
const clockTolerance = 30;

/** POST /login/upstream. */
export async function goToUpstream(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  const onward = onwardOf(form);
  const browser = checkForm(loginForm(onward.tx), form.get('csrf'), { exchange, context });
  const upstream = await upstreamNamed(form.get('upstream'), context);
  const signedIn = form.get('reason') === 'confirm' ? await currentSession(exchange, context) : undefined;
  const parked = isTransaction(onward.tx) ? await parkedRequest(onward.tx, browser, context) : undefined;

  const again = signedIn ? { maxAge: 0 } : demandedBy(parked?.request);
  const purpose = signedIn ? { for: 'confirm' as const, session: signedIn.session.idHash } : { for: 'sign-in' as const };
  return depart(upstream, { purpose, onward, again }, { browser, exchange, context });
}

/** Sends a browser to an upstream: by a page, because Chromium holds the redirects of a form to `form-action 'self'` (decision 12). */
export async function depart(upstream: Upstream, trip: Pick<Away, 'purpose' | 'onward' | 'again'>, place: Place): Promise<Answer> {
  const { browser, exchange, context } = place;
  await context.limits.check('upstream.address', addressBucket(exchange.address));
  if (trip.again && !recipes[upstream.recipe].asksAgain) return problemAnswer('not-asked-again', { upstream, ...trip }, place);

  const away: Away = { ...trip, nonce: randomId('', 32), verifier: randomId('', 32), since: context.now() };
  const state = await keepAway(upstream.id, away, place);
  try {
    const href = await providerOf(upstream, context).begin({ ...away, state, redirectUri: callbackOf(upstream, context) });
    return page(upstreamLeavePage(pageFrame(exchange, context), { name: upstream.name, href: href.href }), 200, browser.cookies);
  } catch (error) {
    return failed(error, { upstream, away }, place);
  }
}

/** GET /login/upstream/:id/callback. */
export async function upstreamCallback(exchange: Exchange, context: Context): Promise<Answer> {
  const search = new URL(exchange.request.url).search;
  const given = parametersFromForm(search);
  refuseRepeated(given);
  const place: Place = { browser: browserOf(exchange, context), exchange, context };
  const state = given.get('state');
  const kept = await takeAway(state, place);
  const upstream = kept?.upstreamId === exchange.params.id ? await upstreamNamed(kept?.upstreamId, context) : undefined;
  if (!kept || !upstream || state === undefined)
    throw new OAuthError('request_expired', 'No sign-in of this browser waits for this answer, or it came too late or twice');

  const away = kept.content;
  const redirectUri = callbackOf(upstream, context);
  try {
    const person = await providerOf(upstream, context).finish(new URL(redirectUri + search), { ...away, state, redirectUri });
    return await arrive(person, { upstream, away }, place);
  } catch (error) {
    return failed(error, { upstream, away }, place);
  }
}

type Trip = { upstream: Upstream; away: Away };

async function arrive(person: UpstreamPerson, { upstream, away }: Trip, place: Place): Promise<Answer> {
  const { exchange, context } = place;
  const { purpose, onward } = away;
  const trouble = (kind: Trouble) => problemAnswer(kind, { upstream, purpose, onward }, place);
  const signedIn = 'session' in purpose ? await currentSession(exchange, context) : undefined;
  if ('session' in purpose && signedIn?.session.idHash !== purpose.session) throw otherSession();
  const shown = shownAt(person, away, context.now());
  if (!shown) return trouble('not-asked-again');

  const user = await context.store.findUpstreamUser(person.issuer, person.subject);
  if (purpose.for === 'invitation' && user) return trouble('somebody-elses');
  if (purpose.for === 'link' || !user) {
    if (purpose.for === 'confirm') return trouble('other-person');
    return receive({ ...person, ...shown }, { upstream, away }, { ...place, signedIn });
  }
  if (purpose.for === 'confirm' && user.id !== signedIn?.user.id) return trouble('other-person');
  if (user.disabledAt !== undefined) return trouble('disabled');
  return finishSignIn({ user, amr: person.amr, ...shown, onward }, { exchange, context });
}

/**
 * When the person last showed who they are: the word of the upstream, never later than now. Without a word nobody knows, and it proves nothing that they came now:
 * most upstreams let whoever sits before the browser through. Undefined when it is older than what was demanded, or not told.
 */
function shownAt({ authTime }: UpstreamPerson, { again, since }: Away, now: number): Shown | undefined {
  const earliest = again && since - again.maxAge;
  if (earliest === undefined) return authTime === undefined ? { authTime: now, unproven: true } : { authTime: Math.min(authTime, now) };
  if (authTime === undefined || authTime < earliest - clockTolerance) return undefined;
  return { authTime: Math.min(Math.max(authTime, earliest), now) };
}

/** Somebody whom nobody here is linked to, or whom somebody wants to link: both are asked on a page of ours. */
async function receive(person: UpstreamPerson & Shown, { upstream, away }: Trip, place: Place & { signedIn?: SignedIn }): Promise<Answer> {
  const { context, signedIn } = place;
  const { issuer, subject, amr, authTime, unproven } = person;
  const profile = await person.profile();
  const invitation = away.purpose.for === 'invitation' ? away.purpose.token : undefined;
  const refused = invitation === undefined ? undefined : await notInvited(profile, invitation, context);
  if (refused) return problemAnswer('not-invited', { upstream, ...away, ...refused }, place);
  const arrival = { issuer, subject, profile, amr, authTime, unproven, onward: away.onward, session: signedIn?.session.idHash, invitation };
  const handle = await keepArrival(upstream.id, arrival, place);
  return redirect(`${context.base}${signedIn ? '/account/link' : '/login/first-time'}?arrival=${handle}`);
}

/** An invitation is for one address, and its holder may have got it from anybody: the upstream must say that the address is theirs. */
async function notInvited({ email }: Profile, token: string, context: Context): Promise<{ email: string } | undefined> {
  const invited = (await invitationOf(token, context)).email;
  return email !== undefined && isSameAddress(email, invited) ? undefined : { email: invited };
}

/** @throws whatever is no failure of the upstream. */
async function failed(error: unknown, { upstream, away }: Trip, place: Place): Promise<Answer> {
  if (!(error instanceof UpstreamFailure)) throw error;
  const { exchange, context } = place;
  const failure = { kind: error.kind, reason: error.message, causes: causesOf(error).join(', ') };
  context.log.warn('upstream.failed', { request_id: exchange.requestId, upstream: upstream.id, ...failure });
  const about = { address: exchange.address, requestId: exchange.requestId, detail: { upstream: upstream.id, reason: error.kind } };
  await context.store.recordEvent(auditEvent('user.sign_in_failed', context.now(), 'anonymous', about));
  return problemAnswer(error.kind, { upstream, purpose: away.purpose, onward: away.onward }, place);
}

/** @throws {OAuthError} not_found */
async function upstreamNamed(id: string | undefined, context: Context): Promise<Upstream> {
  const upstream = id === undefined || !context.options.fetchUpstream ? undefined : await context.store.findUpstream(id);
  if (!upstream) throw new OAuthError('not_found', 'Nobody signs in there any more');
  return upstream;
}

function callbackOf({ id }: Upstream, { issuer }: Context): string {
  return `${issuer}/login/upstream/${id}/callback`;
}

function otherSession(): OAuthError {
  return new OAuthError('request_expired', 'Somebody else is signed in now than when this began');
}
