/**
 * Several people, or several accounts of one, signed in in one browser: up to five. The session cookie names who acts now, a second cookie the others; each value is a
 * session id of its own, of which the database knows the hash. Not here: who acts (session.ts), the page to choose on (choose-account.ts).
 */
import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import type { Session, User } from '../storage/store.ts';
import { readCookie, readCookieList, writeCookie } from './cookies.ts';

/** `id` is the secret of the cookie, for the next cookie and for nothing else. */
export type Held = { id: string; session: Session; user: User };
type Place = { exchange: Exchange; context: Context };

/** With the one who acts now. */
const mostHeld = 5;

/** Everybody whose session lives in this browser, the one who acts now first. */
export async function heldSessions({ exchange, context }: Place): Promise<Held[]> {
  const current = readCookie('session', exchange.request, context);
  const others = readCookieList('accounts', exchange.request, context).filter((id) => id !== current);
  const ids = [...(current === undefined ? [] : [current]), ...others].slice(0, mostHeld + 1);
  const found = await Promise.all(ids.map(async (id) => ({ id, ...(await context.store.findSession(sha256(id), context.now())) })));
  return found.flatMap(({ id, session, user }) => (session && user ? [{ id, session, user }] : []));
}

/** Whether others than the one who acts may be signed in here; looks at the cookie alone. */
export function holdsOthers({ exchange, context }: Place): boolean {
  return readCookieList('accounts', exchange.request, context).length > 0;
}

/** For somebody who signs in: their earlier session in this browser, and those of everybody else. */
export async function heldBeside(user: User, place: Place): Promise<{ same?: Held; others: Held[] }> {
  const held = await heldSessions(place);
  return { same: held.find((one) => one.user.id === user.id), others: held.filter((one) => one.user.id !== user.id) };
}

/** Keeps these beside the one who acts; who is one too many, the one seen longest ago, is signed out. Returns the cookie to set. */
export async function holdBeside(others: readonly Held[], place: Place): Promise<string[]> {
  const { context } = place;
  const bySeen = others.toSorted((one, two) => two.session.seenAt - one.session.seenAt);
  await endHeld(bySeen.slice(mostHeld - 1), place);
  const kept = bySeen.slice(0, mostHeld - 1);
  if (kept.length === 0) return holdsOthers(place) ? [writeCookie('accounts', '', context, 0)] : [];
  return [writeCookie('accounts', kept.map(({ id }) => id).join('.'), context, maxAgeOf(kept, context))];
}

/** Ends these sessions, here and on the server. */
export async function endHeld(leaving: readonly Held[], { exchange, context }: Place): Promise<void> {
  for (const { session, user } of leaving) {
    const about = { userId: user.id, address: exchange.address, requestId: exchange.requestId };
    await context.store.endSession(session.idHash, auditEvent('user.signed_out', context.now(), `user:${user.id}`, about));
  }
  if (leaving.length > 0) context.logouts.soon();
}

/** Makes another of them the one who acts. Returns the cookies to set. */
export async function actAs(chosen: Held, place: Place): Promise<string[]> {
  const { context } = place;
  const { others } = await heldBeside(chosen.user, place);
  return [writeCookie('session', chosen.id, context, maxAgeOf([chosen], context)), ...(await holdBeside(others, place))];
}

/** A cookie outlives the browser only when everybody in it wanted that; in seconds, as long as the last of them. */
function maxAgeOf(held: readonly Held[], context: Context): number | undefined {
  if (held.some(({ session }) => session.idleSeconds !== context.options.keptSessionIdleSeconds)) return undefined;
  return Math.max(...held.map(({ session }) => session.expiresAt)) - context.now();
}
