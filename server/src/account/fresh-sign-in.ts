/**
 * When somebody who is signed in must show once more that it is them: before an agent gets what deletes or administers, and before the ways into the account, or
 * all that is in it, change hands. A browser that was left open is not enough. Not here: how they show it (sign-in.ts), what is asked then (authorize/, device/).
 */
import type { Context } from '../context.ts';
import { needsFresh } from '../rules/fresh.ts';
import type { User } from '../storage/store.ts';
import { type ScopeView, scopeGroup } from '../views/describe-scope.ts';
import { emailCodeOn } from './methods/email-code.ts';
import { offeredUpstreams } from './methods/upstream.ts';
import type { SignedIn } from './session.ts';
import { waysOn } from './ways-in.ts';

/** Whether the person has shown who they are recently enough, at `at` in epoch seconds: for a request that waits, when it began, so that reading it does not take the time away. An upstream
 * that does not say when they did may have let in whoever sat before the browser. */
export function isFresh({ session }: SignedIn, context: Context, at = context.now()): boolean {
  return session.unproven !== true && !needsFresh(session, context.options.reauthenticate.withinSeconds, at);
}

/** Whether a person may add a way to sign in: after a fresh sign-in, or any of lately where nothing that they have could make it fresh. */
export async function mayAddWay(signedIn: SignedIn, context: Context): Promise<boolean> {
  if (isFresh(signedIn, context)) return true;
  return !needsFresh(signedIn.session, context.options.reauthenticate.withinSeconds, context.now()) && !(await canConfirm(signedIn.user, context));
}

/** Whether a person has anything here by which they can show once more that it is them. */
export async function canConfirm({ id, email }: User, context: Context): Promise<boolean> {
  const { options, store } = context;
  if (emailCodeOn(options) && email !== undefined) return true;
  if ((await store.countWaysIn(id, { ...waysOn(context), upstreams: false })) > 0) return true;
  return (await offeredUpstreams({ again: { maxAge: 0 }, userId: id }, context)).length > 0;
}

/** Which of the asked scopes, in the words of `offered`, are of a kind that needs it. */
export function guardedScopes<Scope extends ScopeView>(asked: readonly string[], offered: readonly Scope[], { options }: Context): Scope[] {
  const { groups } = options.reauthenticate;
  return offered.filter((scope) => asked.includes(scope.name) && groups.includes(scopeGroup(scope)));
}
