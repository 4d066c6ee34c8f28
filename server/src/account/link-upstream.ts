/**
 * GET and POST /account/link: the explicit step by which a person says that an account elsewhere is theirs (LOG-07). They are signed in here, lately, and came back from
 * there in this browser; nothing is linked before they press the button. Linking one more and ending a link begin on the security page.
 */
import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { parametersFromForm, refuseRepeated } from '../rules/parameters.ts';
import { readParameters } from '../rules/read-body.ts';
import type { Upstream } from '../storage/store.ts';
import { linkUpstreamPage } from '../views/link-upstream-page.ts';
import { type Browser, browserOf } from './browser-cookie.ts';
import { arrivalOver } from './first-time.ts';
import { checkForm, type Form, formToken } from './form-token.ts';
import { isFresh } from './fresh-sign-in.ts';
import { nextPlace } from './onward.ts';
import { backWith } from './security/section.ts';
import { currentSession, type SignedIn } from './session.ts';
import { problemAnswer } from './upstream-problem.ts';
import { type Arrival, findArrival, takeArrival } from './upstream-visit.ts';

type Place = { browser: Browser; exchange: Exchange; context: Context };
type Asked = { handle: string; arrival: Arrival; upstream: Upstream; signedIn: SignedIn };

/** GET /account/link?arrival=…. */
export async function linkForm(exchange: Exchange, context: Context): Promise<Answer> {
  const place: Place = { browser: browserOf(exchange, context), exchange, context };
  const asked = await questionOf(parametersFromForm(new URL(exchange.request.url).search).get('arrival'), place);
  if ('status' in asked) return asked;
  const { handle, arrival, upstream, signedIn } = asked;
  const html = linkUpstreamPage(pageFrame(exchange, context), {
    arrival: handle,
    csrf: formToken(formOf(asked), place.browser, context),
    upstream: upstream.name,
    label: arrival.profile.label,
    account: signedIn.user.email ?? signedIn.user.username,
  });
  return page(html);
}

/** POST /account/link. */
export async function link(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  const place: Place = { browser: browserOf(exchange, context), exchange, context };
  const asked = await questionOf(form.get('arrival'), place);
  if ('status' in asked) return asked;
  checkForm(formOf(asked), form.get('csrf'), { exchange, context });
  const decision = form.get('decision');
  if (decision !== 'link' && decision !== 'not-now') throw new OAuthError('invalid_request', 'decision must be link or not-now');

  const { arrival, upstream, signedIn } = asked;
  const taken = await takeArrival(asked.handle, place);
  if (!taken) throw arrivalOver();
  if (decision === 'link' && (await linkTo(signedIn, { arrival, upstream }, place)) === 'taken') return belongsToSomebody(asked, place);
  if (decision === 'link' && arrival.session !== undefined) return backWith('upstream-linked', signedIn, context);
  return onFrom(arrival, context);
}

function linkTo({ user }: SignedIn, { arrival, upstream }: Pick<Asked, 'arrival' | 'upstream'>, { exchange, context }: Place): Promise<'linked' | 'taken'> {
  const { issuer, subject, profile } = arrival;
  const about = { userId: user.id, address: exchange.address, requestId: exchange.requestId, detail: { upstream: upstream.id } };
  const event = auditEvent('upstream.linked', context.now(), `user:${user.id}`, about);
  const identity = { issuer, subject, upstreamId: upstream.id, userId: user.id, label: profile.label, createdAt: context.now() };
  return context.store.linkUpstream(identity, context.mail.notify(event, { kind: 'sign-in-linked', user }, exchange));
}

/** What is to be linked to whom, or the answer that must come first. @throws {OAuthError} request_expired */
async function questionOf(given: string | undefined, place: Place): Promise<Asked | Answer> {
  const { exchange, context } = place;
  const kept = await findArrival(given, place);
  const upstream = kept && (await context.store.findUpstream(kept.upstreamId));
  if (!kept || !upstream || given === undefined) throw arrivalOver();
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login?arrival=${given}`);
  const arrival = kept.content;
  if (arrival.session !== undefined && arrival.session !== signedIn.session.idHash) throw arrivalOver();
  if (!isFresh(signedIn, context)) return redirect(`${context.base}/login?arrival=${given}&reason=confirm`);

  const asked = { handle: given, arrival, upstream, signedIn };
  const owner = await context.store.findUpstreamUser(arrival.issuer, arrival.subject);
  if (owner?.id === signedIn.user.id) return onFrom(arrival, context);
  return owner ? belongsToSomebody(asked, place) : asked;
}

function belongsToSomebody({ arrival, upstream, signedIn }: Asked, place: Place): Answer {
  return problemAnswer('somebody-elses', { upstream, purpose: { for: 'link', session: signedIn.session.idHash }, onward: arrival.onward }, place);
}

function onFrom({ onward }: Arrival, context: Context): Answer {
  return redirect(nextPlace(onward, context));
}

function formOf({ handle, signedIn }: Pick<Asked, 'handle' | 'signedIn'>): Form {
  return { purpose: 'link', subject: [handle, signedIn.session.idHash] };
}
