/**
 * GET and POST /logout, which is also the `end_session_endpoint` (OIDC RP-Initiated Logout): a page that asks, and the form that does it, so that no link and no
 * other site can sign anybody out (LOG-02, LO-01). Only an ID token of this very session makes the question needless. Agents keep their access: grants do not
 * hang from sessions.
 */
import type { Context, Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { type Parameters, parametersFromForm } from '../rules/parameters.ts';
import { readParameters } from '../rules/read-body.ts';
import { isByOperator } from '../rules/registered-by.ts';
import { describeRedirect } from '../views/redirect-target.ts';
import { signedOutPage, signOutPage } from '../views/sign-out-page.ts';
import { browserOf } from './browser-cookie.ts';
import { readCookie, writeCookie } from './cookies.ts';
import { checkForm, type Form, formToken } from './form-token.ts';
import { endHeld, type Held, heldSessions, holdBeside, holdsOthers } from './held-sessions.ts';
import { type LogoutRequest, readLogout } from './logout-request.ts';
import { currentSession, endSession, type SignedIn } from './session.ts';

type Place = { exchange: Exchange; context: Context };
/** `ended`: the session that its ID token is of was one of this browser. */
type Ended = LogoutRequest & { ended?: boolean };

/** What the form carries on from the request of a client. */
const carried = ['id_token_hint', 'client_id', 'post_logout_redirect_uri', 'state'];
/** A little less than the longest address we read. */
const maxLocation = 8000;

/** GET /logout. */
export async function signOutForm(exchange: Exchange, context: Context): Promise<Answer> {
  return begin(parametersFromForm(new URL(exchange.request.url).search), { exchange, context });
}

/** POST /logout: our own form, or the request of a client. */
export async function signOut(exchange: Exchange, context: Context): Promise<Answer> {
  const given = await readParameters(exchange.request, 'form');
  if (given.get('csrf') === undefined && carried.some((name) => given.get(name) !== undefined)) return byPost(given, { exchange, context });
  const signedIn = await currentSession(exchange, context);
  const request = await readLogout(given, context);
  if (!signedIn) return done(request, { exchange, context });
  checkForm(logoutForm(signedIn), given.get('csrf'), { exchange, context });
  const cookies = given.get('all') === '1' ? await endAll({ exchange, context }) : await endSession(signedIn, { exchange, context });
  // A form's answer may not redirect to another site under our content policy: the page leads on.
  return afterwards(request, { exchange, context }, cookies);
}

/** Everybody who is signed in in this browser. */
async function endAll(place: Place): Promise<string[]> {
  await endHeld(await heldSessions(place), place);
  return [writeCookie('session', '', place.context, 0), ...(await holdBeside([], place))];
}

/** A form of another site comes without our Lax cookies: once more as a GET, which brings them. */
function byPost(given: Parameters, place: Place): Answer | Promise<Answer> {
  const { exchange, context } = place;
  if (readCookie('session', exchange.request, context) !== undefined) return begin(given, place);
  const location = `${context.base}/logout?${new URLSearchParams(carriedFrom(given))}`;
  if (location.length > maxLocation) throw new OAuthError('uri_too_long', 'The request is longer than 8 KiB');
  return redirect(location);
}

async function begin(given: Parameters, place: Place): Promise<Answer> {
  const { exchange, context } = place;
  const request = await readLogout(given, context);
  const signedIn = await currentSession(exchange, context);
  const named = await namedBy(request, place);
  if (named) return done({ ...request, ended: true }, place, await endOne(named, place));
  if (!signedIn) return done(request, place);
  return ask(signedIn, { given, request }, place);
}

/** The session of this browser that the ID token is of: whoever acts now, the client means the one it signed in. */
async function namedBy({ proven, sid }: LogoutRequest, place: Place): Promise<Held | undefined> {
  return proven && sid !== undefined ? (await heldSessions(place)).find(({ session }) => session.sid === sid) : undefined;
}

/** Signs one of them out and leaves the others as they are. */
async function endOne(leaving: Held, place: Place): Promise<string[]> {
  const { exchange, context } = place;
  const current = readCookie('session', exchange.request, context);
  const beside = (await heldSessions(place)).filter(({ id }) => id !== current && id !== leaving.id);
  await endHeld([leaving], place);
  return [...(leaving.id === current ? [writeCookie('session', '', context, 0)] : []), ...(await holdBeside(beside, place))];
}

async function ask(signedIn: SignedIn, { given, request }: { given: Parameters; request: LogoutRequest }, { exchange, context }: Place): Promise<Answer> {
  const browser = browserOf(exchange, context);
  const { username, name, email } = signedIn.user;
  const csrf = formToken(logoutForm(signedIn), browser, context);
  const others = holdsOthers({ exchange, context }) ? (await heldSessions({ exchange, context })).length - 1 : 0;
  const values = { csrf, others, user: { name: name ?? username, email }, askedBy: request.client && (request.client.metadata.clientName ?? '') };
  return page(signOutPage(pageFrame(exchange, context), { ...values, carried: carriedFrom(given) }), 200, browser.cookies);
}

/** Nobody is signed in here any more: back to a client that is known to have asked, else a page. */
function done(request: Ended, place: Place, cookies: string[] = []): Answer {
  const { returnTo } = request;
  return returnTo !== undefined && mayLeadOn(request) ? redirect(returnTo, cookies) : afterwards(request, place, cookies);
}

function afterwards(request: Ended, { exchange, context }: Place, cookies: string[]): Answer {
  const { returnTo } = request;
  const frame = pageFrame(exchange, context);
  const onward = returnTo === undefined ? undefined : { href: returnTo, host: describeRedirect(returnTo, frame).place, atOnce: mayLeadOn(request) };
  return page(signedOutPage(frame, onward), 200, cookies);
}

/**
 * AZ-31 holds here too: a stranger's client must not make a redirect of our address. That it has an ID token says nothing of the person who is here, unless it is of a
 * session of this browser: anybody can get one of their own.
 */
function mayLeadOn({ client, ended = false }: Ended): boolean {
  return ended || (client !== undefined && isByOperator(client));
}

function carriedFrom(given: Parameters): Record<string, string> {
  return Object.fromEntries(
    carried.flatMap((name) =>
      given
        .all(name)
        .slice(0, 1)
        .map((value) => [name, value]),
    ),
  );
}

function logoutForm({ session }: SignedIn): Form {
  return { purpose: 'logout', subject: [session.idHash] };
}
