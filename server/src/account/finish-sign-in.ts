/**
 * The end of every sign-in, whatever the method: what must still come between, the session, and the way on. Not here: how somebody was recognised (methods/).
 */
import type { Context, Exchange } from '../context.ts';
import { type Answer, redirect } from '../route.ts';
import type { User } from '../storage/store.ts';
import { nextPlace, type Onward } from './onward.ts';
import { beginSession, currentSession } from './session.ts';

/** What the first step of a sign-in has shown: who it is, by which methods (RFC 8176), and what waits behind it. */
export type FirstFactor = {
  user: User;
  amr: readonly string[];
  /** "Keep me signed in on this device". */
  keep?: boolean;
  onward: Onward;
};

/** Signs somebody in whom any method has just recognised. Every method ends here, so that none can forget what must come between. */
export async function finishSignIn({ user, amr, keep = false, onward }: FirstFactor, place: { exchange: Exchange; context: Context }): Promise<Answer> {
  const { exchange, context } = place;
  const kept = keep || (await isKept(user, exchange, context));
  return redirect(nextPlace(onward, context), await beginSession(user, { keep: kept, amr }, place));
}

/** Confirming who one is does not undo "keep me signed in", which that form does not ask again. */
async function isKept(user: User, exchange: Exchange, context: Context): Promise<boolean> {
  const earlier = await currentSession(exchange, context);
  return earlier?.user.id === user.id && earlier.session.idleSeconds === context.options.keptSessionIdleSeconds;
}
