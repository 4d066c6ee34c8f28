/**
 * The chain of a delegated access token (RFC 8693 §4.1): who acts for the person, through whom, and what each link hangs from. A token carries its chain, so
 * that tokens without one cost nothing; whether every link still stands is asked of the store when it is used. Not here: making one (exchange/).
 */
import type { Context } from '../context.ts';
import type { Claims } from '../crypto/jwt.ts';

/** RFC 8693 §4.1: the client that acts, and nested in it the one it acts through. */
export type Actor = { sub: string; act?: Actor };
/** A token that was exchanged on the way: its grant and its `jti`. */
export type Link = { grantId: string; jti: string };
/** `via` has the token that was exchanged last first. */
export type Delegation = { act: Actor; via: readonly Link[] };

/** The claims of a delegated token. `via` is ours: it lets the end of any link end the token. */
export function delegationClaims({ act, via }: Delegation): Claims {
  return { act, via: via.map(({ grantId, jti }) => ({ grant_id: grantId, jti })) };
}

/** Reads the claims of a token that our own signature vouches for; undefined for one that nobody handed on. */
export function delegationOf({ act, via }: Claims): Delegation | undefined {
  if (act === undefined) return undefined;
  const links = via as { grant_id: string; jti: string }[]; // written by delegationClaims
  return { act: act as Actor, via: links.map(({ grant_id: grantId, jti }) => ({ grantId, jti })) };
}

/** The ids of all that act, the nearest first. */
export function actorsOf(actor: Actor | undefined): string[] {
  return actor ? [actor.sub, ...actorsOf(actor.act)] : [];
}

/** `removedScope` is what the person took back of any grant in the chain. */
export type StandingChain = { removedScope?: readonly string[] };

/** What stands of a chain whose every token does: its grant, its person, and the token itself. Undefined when one does not. */
export async function standingChain({ via }: Delegation, context: Context): Promise<StandingChain | undefined> {
  const now = context.now();
  const links = await Promise.all(via.map((link) => context.store.standing({ ...link, now })));
  if (!links.every((link) => link?.active)) return undefined;
  const removed = links.flatMap((link) => link?.removedScope ?? []);
  return removed.length > 0 ? { removedScope: removed } : {};
}
