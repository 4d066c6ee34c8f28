/**
 * Browser sessions: who is signed in here. The cookie holds 256 random bits and nothing else; the row holds their hash. A sign-in always makes a new id and
 * ends the old session of that person (LOG-01); others stay signed in beside them (held-sessions.ts). Grants do not hang from sessions (architecture, decision 5).
 * Not here: checking credentials (sign-in.ts).
 */
import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import { randomId } from '../crypto/random.ts';
import { noteLanguage } from '../page-language.ts';
import type { NewSession, Session, User } from '../storage/store.ts';
import { readCookie, writeCookie } from './cookies.ts';
import { heldBeside, holdBeside } from './held-sessions.ts';
import { deviceHashOf, withDeviceNotice } from './known-device.ts';

export type SignedIn = { session: Session; user: User };

/** Idle time is measured this coarsely, in seconds, so that a page view is rarely a write. */
const touchEvery = 60;

/** The person whose living session this browser has. */
export async function currentSession(exchange: Exchange, context: Context): Promise<SignedIn | undefined> {
  const id = readCookie('session', exchange.request, context);
  if (id === undefined) return undefined;
  const now = context.now();
  const found = await context.store.findSession(sha256(id), now);
  if (found) noteLanguage(exchange, { account: found.user.language });
  if (found && now - found.session.seenAt >= touchEvery) await context.store.touchSession(found.session.idHash, now);
  return found;
}

/** How somebody signed in: whether for longer than the browser lives, by which methods (RFC 8176), and when, if not now, or if nobody says when. */
export type SignInFacts = { keep: boolean; amr: readonly string[]; authTime?: number; unproven?: true };

/**
 * Signs a person in whose credentials were checked just now. Returns the cookies to set: none when all their sessions were ended since `user` was read, as with a new
 * password. Wherever they go on to then asks them to sign in.
 */
export async function beginSession(
  user: User,
  { keep, amr, authTime, unproven }: SignInFacts,
  place: { exchange: Exchange; context: Context },
): Promise<string[]> {
  const { exchange, context } = place;
  const { sessionIdleSeconds, keptSessionIdleSeconds, sessionLifetimeSeconds } = context.options;
  const now = context.now();
  const id = randomId('', 32);
  const { same, others } = await heldBeside(user, place);
  const deviceHash = deviceHashOf(user, exchange, context);
  const session: NewSession = {
    idHash: sha256(id),
    userId: user.id,
    authTime: authTime ?? now,
    createdAt: now,
    seenAt: now,
    idleSeconds: keep ? keptSessionIdleSeconds : sessionIdleSeconds,
    expiresAt: now + sessionLifetimeSeconds,
    userAgent: exchange.request.headers.get('user-agent')?.slice(0, 200),
    address: exchange.address,
    amr: [...amr],
    // To clients, somebody who confirms who they are stays in the session they are in.
    sid: same?.session.sid ?? randomId('', 16),
    deviceHash,
    unproven,
    epoch: user.sessionEpoch,
  };
  const event = auditEvent('user.signed_in', now, `user:${user.id}`, { userId: user.id, address: exchange.address, requestId: exchange.requestId });
  const started = await context.store.startSession(session, same?.session.idHash, await withDeviceNotice(event, { user, deviceHash }, place));
  if (!started) return [];
  return [writeCookie('session', id, context, keep ? sessionLifetimeSeconds : undefined), ...(await holdBeside(others, place))];
}

/** Ends the session, here and on the server. Returns the cookies to set. */
export async function endSession({ session, user }: SignedIn, place: { exchange: Exchange; context: Context }): Promise<string[]> {
  const { exchange, context } = place;
  const about = { userId: user.id, address: exchange.address, requestId: exchange.requestId };
  await context.store.endSession(session.idHash, auditEvent('user.signed_out', context.now(), `user:${user.id}`, about));
  context.logouts.soon();
  return [writeCookie('session', '', context, 0)];
}
