/**
 * GET and POST /login/first-time: somebody whom an upstream vouches for and nobody here is linked to. They make an account, where sign-up is open, or sign in to the one
 * they have and link it there (link-upstream.ts). An e-mail address never decides: who has an account with it is asked to show that it is theirs (LOG-07).
 */
import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { randomId, randomWord } from '../crypto/random.ts';
import { OAuthError } from '../errors.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { parametersFromForm, refuseRepeated } from '../rules/parameters.ts';
import { isUsername } from '../rules/person.ts';
import { readParameters } from '../rules/read-body.ts';
import type { User } from '../storage/store.ts';
import type { Profile } from '../upstream/person.ts';
import { type FirstTime, firstTimePage } from '../views/first-time-page.ts';
import { browserOf } from './browser-cookie.ts';
import { finishSignIn } from './finish-sign-in.ts';
import { checkForm, type Form, formToken } from './form-token.ts';
import { createPerson } from './new-account.ts';
import { invitationOf, linkClosed } from './one-time-link.ts';
import { type Arrival, findArrival, keepArrival, takeArrival } from './upstream-visit.ts';

type Place = { exchange: Exchange; context: Context };

/** GET /login/first-time?arrival=…. */
export async function firstTimeForm(exchange: Exchange, context: Context): Promise<Answer> {
  const handle = parametersFromForm(new URL(exchange.request.url).search).get('arrival') ?? '';
  const browser = browserOf(exchange, context);
  const kept = await findArrival(handle, { browser, context });
  if (!kept) throw arrivalOver();
  const { profile, invitation } = kept.content;
  const invited = invitation === undefined ? undefined : await invitationOf(invitation, context);
  const upstream = await context.store.findUpstream(kept.upstreamId);
  const html = firstTimePage(pageFrame(exchange, context), {
    arrival: handle,
    csrf: formToken(formOf(handle), browser, context),
    upstream: upstream?.name ?? kept.upstreamId,
    label: profile.label,
    name: profile.name,
    email: invited?.email ?? profile.email,
    invited: invited !== undefined,
    may: await mayOf(kept.content, context),
  });
  return page(html, 200, browser.cookies);
}

/** POST /login/first-time makes the account. */
export async function firstTime(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  const handle = form.get('arrival') ?? '';
  const browser = checkForm(formOf(handle), form.get('csrf'), { exchange, context });
  const place = { browser, context };
  const found = await findArrival(handle, place);
  if (!found) throw arrivalOver();
  if ((await mayOf(found.content, context)) !== 'sign-up') return redirect(`${context.base}/login/first-time?arrival=${handle}`);

  const kept = await takeArrival(handle, place);
  if (!kept) throw arrivalOver();
  const { amr, onward, authTime, unproven } = kept.content;
  const user = await personOf(kept.upstreamId, kept.content, { exchange, context });
  // Somebody took the address or the subject at this very moment: the page says what is true now.
  if (!user) return redirect(`${context.base}/login/first-time?arrival=${await keepArrival(kept.upstreamId, kept.content, place)}`);
  return finishSignIn({ user, amr, authTime, unproven, onward }, { exchange, context });
}

async function personOf(upstreamId: string, arrival: Arrival, place: Place): Promise<User | undefined> {
  if (arrival.invitation === undefined) return signUp(upstreamId, arrival, place);
  const { issuer, subject, profile } = arrival;
  const { name, label } = profile;
  const identity = { issuer, subject, upstreamId, label, createdAt: place.context.now() };
  const user = await createPerson(await invitationOf(arrival.invitation, place.context), { name, identity }, place);
  if (user === 'used') throw linkClosed('invitation');
  return user === 'taken' ? undefined : user;
}

async function signUp(upstreamId: string, arrival: Arrival, { exchange, context }: Place): Promise<User | undefined> {
  const { issuer, subject, profile } = arrival;
  const { name, email, label } = profile;
  const now = context.now();
  const emailProvenAt = email === undefined ? undefined : now;
  for (const username of usernames(profile)) {
    const user: User = { id: randomId('usr_', 12), username, email, emailProvenAt, name, role: 'user', createdAt: now };
    const about = { userId: user.id, address: exchange.address, requestId: exchange.requestId, detail: { upstream: upstreamId } };
    const event = auditEvent('upstream.signed_up', now, `user:${user.id}`, about);
    const identity = { issuer, subject, upstreamId, label, createdAt: now };
    if ((await context.store.signUpByUpstream(identity, user, event)) === 'added') return user;
  }
  return undefined;
}

/** What the account may be called: as there, as before the @, or with a tail of its own when that is taken. */
function usernames({ handle, email }: Profile): string[] {
  const wished =
    (handle ?? email ?? '')
      .split('@')[0]
      ?.normalize('NFKC')
      .replace(/[^\p{L}\p{N}._-]+/gu, '')
      .slice(0, 48) ?? '';
  const base = isUsername(wished) ? wished : 'person';
  return [...(base === wished ? [wished] : []), `${base}-${randomWord(4)}`, `${base}-${randomWord(10)}`];
}

async function mayOf({ profile, invitation }: Arrival, context: Context): Promise<FirstTime> {
  const { options, store } = context;
  if (invitation !== undefined) return (await store.findUserByLogin((await invitationOf(invitation, context)).email)) ? 'show-that-it-is-yours' : 'sign-up';
  const { email } = profile;
  if (options.signIn.signUp !== 'open') return options.signIn.signUp === 'invitation' ? 'ask-for-invitation' : 'ask';
  return email !== undefined && (await store.findUserByLogin(email)) ? 'show-that-it-is-yours' : 'sign-up';
}

function formOf(handle: string): Form {
  return { purpose: 'first-time', subject: [handle] };
}

export function arrivalOver(): OAuthError {
  return new OAuthError('request_expired', 'Nobody waits here under this handle, or it is too late');
}
