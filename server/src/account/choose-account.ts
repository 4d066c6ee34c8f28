/**
 * GET and POST /login/accounts: who of those signed in in this browser goes on, somebody else, or somebody out. Choosing is no sign-in: it changes which session acts and
 * nothing else. Not here: which sessions a browser holds (held-sessions.ts), when a request wants a choice (authorize/chosen-account.ts).
 */
import type { Context, Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { type Parameters, parametersFromForm, refuseRepeated } from '../rules/parameters.ts';
import { readParameters } from '../rules/read-body.ts';
import { chooseAccountPage } from '../views/choose-account-page.ts';
import { type Browser, browserOf } from './browser-cookie.ts';
import { knownClientView } from './client-view.ts';
import { readCookie, writeCookie } from './cookies.ts';
import { checkForm, type Form, formToken } from './form-token.ts';
import { actAs, endHeld, type Held, heldSessions, holdBeside } from './held-sessions.ts';
import { nextPlace, type Onward, onwardFields, onwardOf, queryOf } from './onward.ts';
import { parkedRequest } from './parked-request.ts';

type Place = { browser: Browser; exchange: Exchange; context: Context };

/** GET /login/accounts, with what waits behind it. */
export async function chooseAccountForm(exchange: Exchange, context: Context): Promise<Answer> {
  const onward = onwardOf(parametersFromForm(new URL(exchange.request.url).search));
  const place = { browser: browserOf(exchange, context), exchange, context };
  const held = await heldSessions(place);
  if (held.length === 0) return redirect(newSignInPlace(onward, context));
  const parked = onward.tx === undefined ? undefined : await parkedRequest(onward.tx, place.browser, context);
  const html = chooseAccountPage(pageFrame(exchange, context), {
    onward: onwardFields(onward),
    csrf: formToken(accountsForm(onward, held), place.browser, context),
    accounts: held.map(({ session, user }) => ({ id: user.id, name: user.name ?? user.username, email: user.email, seenAt: session.seenAt })),
    suggested: parked?.request.loginHint,
    client: parked && (await knownClientView(parked.request.clientId, context)),
    another: newSignInPlace(onward, context),
  });
  return page(html, 200, place.browser.cookies);
}

/** POST /login/accounts: `use` or `sign_out` with the id of a person who is signed in here, or `sign_out=all`. */
export async function chooseAccount(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  const onward = onwardOf(form);
  const held = await heldSessions({ exchange, context });
  const browser = checkForm(accountsForm(onward, held), form.get('csrf'), { exchange, context });
  const { chosen, leaving } = decisionOf(form, held);
  if (chosen) return redirect(chosenPlace(chosen, onward, { browser, exchange, context }), await actAs(chosen, { exchange, context }));
  return redirect(accountsPlace(onward, context), await signOutHere(leaving, held, { exchange, context }));
}

/** @throws {OAuthError} invalid_request for somebody who is not signed in here. */
function decisionOf(form: Parameters, held: readonly Held[]): { chosen?: Held; leaving: readonly Held[] } {
  const [use, out] = [form.get('use'), form.get('sign_out')];
  const named = held.find(({ user }) => user.id === (use ?? out));
  if (use !== undefined && named) return { chosen: named, leaving: [] };
  if (out === 'all') return { leaving: held };
  if (out !== undefined && named) return { leaving: [named] };
  throw new OAuthError('invalid_request', 'use or sign_out must name somebody who is signed in here');
}

async function signOutHere(leaving: readonly Held[], held: readonly Held[], place: Omit<Place, 'browser'>): Promise<string[]> {
  const { context } = place;
  await endHeld(leaving, place);
  const staying = held.filter((one) => !leaving.includes(one));
  // Nobody acts for somebody who did not say so: without the one who acted, the next choice decides.
  const current = readCookie('session', place.exchange.request, context);
  const cookies = leaving.some(({ id }) => id === current) ? [writeCookie('session', '', context, 0)] : [];
  const beside = staying.filter(({ id }) => id !== current);
  return [...cookies, ...(await holdBeside(beside, place))];
}

/** Where a person chooses, by name. */
export function accountsPlace(onward: Onward, context: Context): string {
  return `${context.base}/login/accounts${queryOf(onward)}`;
}

function newSignInPlace(onward: Onward, context: Context): string {
  const query = queryOf(onward);
  return `${context.base}/login${query}${query === '' ? '?' : '&'}switch=new`;
}

/** On with the request, and the proof that the person chose for it. */
function chosenPlace({ session }: Held, onward: Onward, { browser, context }: Place): string {
  const place = nextPlace(onward, context);
  return onward.tx === undefined ? place : `${place}&chosen=${formToken(chosenForm(onward.tx, session.idHash), browser, context)}`;
}

/** What shows that this session was chosen for this request, in this browser. */
export function chosenForm(tx: string, idHash: string): Form {
  return { purpose: 'accounts', subject: ['chosen', tx, idHash] };
}

/** The form belongs to what it goes on with, and to exactly those who stood on it. */
function accountsForm(onward: Onward, held: readonly Held[]): Form {
  return { purpose: 'accounts', subject: ['choose', queryOf(onward), ...held.map(({ session }) => session.idHash)] };
}
