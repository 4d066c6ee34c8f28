/**
 * When somebody who is signed in must show once more that it is them: before an agent gets what deletes or administers, and before the ways into the account, or
 * all that is in it, change hands. A browser that was left open is not enough. Not here: how they show it (sign-in.ts), what is asked then (authorize/, device/).
 */
import type { Context } from '../context.ts';
import { needsFresh } from '../rules/fresh.ts';
import { type ScopeView, scopeGroup } from '../views/describe-scope.ts';
import type { SignedIn } from './session.ts';

/** Whether the sign-in is recent enough, at `at` in epoch seconds: for a request that waits, when it began, so that reading it does not take the time away. */
export function isFresh({ session }: SignedIn, context: Context, at = context.now()): boolean {
  return !needsFresh(session, context.options.reauthenticate.withinSeconds, at);
}

/** Which of the asked scopes, in the words of `offered`, are of a kind that needs it. */
export function guardedScopes<Scope extends ScopeView>(asked: readonly string[], offered: readonly Scope[], { options }: Context): Scope[] {
  const { groups } = options.reauthenticate;
  return offered.filter((scope) => asked.includes(scope.name) && groups.includes(scopeGroup(scope)));
}
