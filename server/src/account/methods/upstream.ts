/**
 * Sign in at an issuer elsewhere (LOG-07): which of them a page offers. Their levels are not announced, because they depend on what each says of a sign-in.
 * Not here: the way there and back (../upstream-sign-in.ts), the protocols (upstream/).
 */
import type { Context } from '../../context.ts';
import type { AuthorizationRequest, Upstream } from '../../storage/store.ts';
import { recipes } from '../../upstream/recipes.ts';

/** What an upstream has to prove besides who came: a sign-in at most so many seconds old, 0 for one that happens now (OIDC Core §3.1.2.1). */
export type Again = { maxAge: number };

/** What a request demands of the sign-in that it waits for; undefined when any will do. */
export function demandedBy(request: Pick<AuthorizationRequest, 'prompt' | 'maxAge'> | undefined): Again | undefined {
  if (request?.prompt.includes('login')) return { maxAge: 0 };
  return request?.maxAge === undefined ? undefined : { maxAge: request.maxAge };
}

/** The upstreams that can do what is demanded; with `userId` only those that this person is linked to. */
export async function offeredUpstreams(demand: { again?: Again; userId?: string }, context: Context): Promise<Upstream[]> {
  if (!context.options.fetchUpstream) return [];
  const able = (await context.store.listUpstreams()).filter((upstream) => !demand.again || recipes[upstream.recipe].asksAgain);
  if (demand.userId === undefined || able.length === 0) return able;
  const linked = await context.store.listUpstreamIdentities(demand.userId);
  return able.filter(({ id }) => linked.some(({ upstreamId }) => upstreamId === id));
}
