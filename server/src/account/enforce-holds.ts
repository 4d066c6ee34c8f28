/**
 * Holds over and over, for the sweep: what was being granted in the moment an operator stopped it may not have seen the hold. Not here: placing and lifting (storage, the command line).
 */
import { auditEvent } from '../audit/event.ts';
import type { Context } from '../context.ts';

/** Much longer than any commit takes: afterwards everybody has seen the hold. */
const settlesWithinSeconds = 600;

/** Stops what open holds of the last minutes describe and did not stop yet. Where there is none, it only looks. */
export async function enforceHolds({ store, now }: Context): Promise<void> {
  const fresh = (await store.listHolds(now())).filter(({ createdAt }) => createdAt > now() - settlesWithinSeconds);
  for (const hold of fresh) await store.enforceHold(hold, auditEvent('grant.paused', now(), 'system', { detail: { hold: hold.id } }));
}
