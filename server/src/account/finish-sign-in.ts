/**
 * The end of every sign-in, whatever the method: what must still come between, the session, and the way on. Not here: how somebody was recognised (methods/).
 */
import type { Context, Exchange } from '../context.ts';
import { type Answer, redirect } from '../route.ts';
import type { User } from '../storage/store.ts';
import { browserOf } from './browser-cookie.ts';
import { nextPlace, type Onward, queryOf } from './onward.ts';
import { parkSignIn } from './pending-sign-in.ts';
import { beginSession, currentSession, type SignedIn } from './session.ts';

type Place = { exchange: Exchange; context: Context };

/** What the first step of a sign-in has shown: who it is, by which methods (RFC 8176), and what waits behind it. */
export type FirstFactor = {
  user: User;
  amr: readonly string[];
  /** "Keep me signed in on this device". */
  keep?: boolean;
  /** When they showed it, in seconds; now, unless somebody else tells of an earlier time. */
  authTime?: number;
  /** Nobody says when they showed it: `authTime` is when they came. */
  unproven?: true;
  onward: Onward;
};

/**
 * Signs somebody in whom any method has just recognised, or sends them to the second step if they have set one up and the first was not worth two. Every method
 * ends here, so that none can forget what must come between.
 */
export async function finishSignIn({ user, amr, keep = false, authTime, unproven, onward }: FirstFactor, place: Place): Promise<Answer> {
  const { exchange, context } = place;
  const kept = keep || (await isKept(user, exchange, context));
  const second = amr.includes('mfa') ? undefined : await context.store.findSecondFactor(user.id);
  if (!second) return redirect(nextPlace(onward, context), await beginSession(user, { keep: kept, amr, authTime, unproven }, place));
  const pending = { userId: user.id, amr, keep: kept, onward, since: context.now(), epoch: user.sessionEpoch };
  return redirect(`${context.base}/login/second${queryOf(onward)}`, parkSignIn(pending, browserOf(exchange, context), context));
}

/** The session of somebody who has just shown more than they had: a new id, the same life. Returns the cookies to set. */
export async function strengthen({ user, session }: SignedIn, shown: readonly string[], place: Place): Promise<string[]> {
  const amr = [...new Set([...(session.amr ?? []), ...shown])];
  return beginSession(user, { keep: await isKept(user, place.exchange, place.context), amr }, place);
}

/** Confirming who one is does not undo "keep me signed in", which that form does not ask again. */
async function isKept(user: User, exchange: Exchange, context: Context): Promise<boolean> {
  const earlier = await currentSession(exchange, context);
  return earlier?.user.id === user.id && earlier.session.idleSeconds === context.options.keptSessionIdleSeconds;
}
