/**
 * How many tokens a caller of /introspect may show a node for the first time, per second (INT-07). Generous: it stops a flood of made-up tokens, each of
 * which would cost a signature, and no honest server. In memory, because it protects this node's processor and nothing else.
 */
import type { Context } from '../context.ts';
import { tooManyRequests } from '../errors.ts';

/** Per caller, node and second. */
export const unseenTokensPerSecond = 10_000;

type Second = { at: number; counts: Map<string, number> };
const secondOf = new WeakMap<Context, Second>();

/** @throws {OAuthError} too_many_requests beyond the limit. */
export function allowUnseenToken(caller: string, context: Context): void {
  const now = context.now();
  const known = secondOf.get(context);
  const second = known?.at === now ? known : { at: now, counts: new Map<string, number>() };
  if (second !== known) secondOf.set(context, second);
  const count = (second.counts.get(caller) ?? 0) + 1;
  second.counts.set(caller, count);
  if (count > unseenTokensPerSecond) throw tooManyRequests(1);
}
