/**
 * Seals audit events: gives those that were committed since the last time their places in the chain. Never in anybody's way; several nodes may do it at once, one
 * of them gets through. Also deletes what is older than the operator keeps, and leaves an anchor and an event in its place.
 */

import type { InstanceKeys } from '../crypto/instance-keys.ts';
import { randomId } from '../crypto/random.ts';
import type { AuditChain, Seal, Store } from '../storage/store.ts';
import { emptyChain, endMac, hashOf, privateHashOf } from './chain.ts';
import { type AuditEvent, auditEvent } from './event.ts';

/** What of a tenant's context is needed. */
type Place = { store: Store; instance: InstanceKeys; now: () => number; options: { auditSeconds: number } };

/** A batch is a commit, and on SQLite nobody is answered meanwhile: about two milliseconds. */
const batch = 100;
/** So that a flood does not hold the caller for ever; the rest is for the next time. */
const longestSeconds = 30;

/** Seals what waits. Resolves to how many events. */
export async function sealEvents(place: Place): Promise<number> {
  let sealed = 0;
  const end = place.now() + longestSeconds;
  while (place.now() < end) {
    // The end of the chain first: what another node seals between the two reads moves it, and this round is refused.
    const chain = (await place.store.findChain()) ?? emptyChain;
    const waiting = await place.store.listUnsealed(batch);
    // Whoever lost against another node leaves the rest to it.
    if (waiting.length === 0 || !(await sealBatch(chain, waiting, place))) break;
    sealed += waiting.length;
    if (waiting.length < batch) break;
  }
  return sealed;
}

async function sealBatch(chain: AuditChain, waiting: readonly AuditEvent[], { store, instance, now }: Place): Promise<boolean> {
  const events = placed(store.tenant, chain, waiting);
  const { seq, hash } = events.at(-1) ?? chain;
  return store.sealEvents({ after: chain.seq, end: { seq, hash, mac: endMac(instance, store.tenant, { seq, hash }), sealedAt: now() }, events });
}

function placed(tenant: string, chain: AuditChain, waiting: readonly AuditEvent[]): (AuditEvent & Required<Seal>)[] {
  let { seq, hash } = chain;
  return waiting.map((event) => {
    const salt = randomId('', 16);
    const privateHash = privateHashOf(salt, event);
    seq += 1;
    hash = hashOf(tenant, hash, { ...event, seq, privateHash });
    return { ...event, seq, hash, privateHash, salt };
  });
}

const daySeconds = 86_400;
const retiredAtOnce = 1000;

/** Deletes sealed events older than `auditSeconds`, about once a day, and says so in an event. Resolves to how many went. */
export async function retireEvents({ store, now, options: { auditSeconds } }: Place): Promise<number> {
  if (auditSeconds === 0) return 0;
  const time = now();
  const chain = (await store.findChain()) ?? emptyChain;
  let after = chain.anchorSeq;
  let due = (await store.listSealed(after, 1)).some(({ at }) => at < time - auditSeconds - daySeconds);
  while (due) {
    const oldest = await store.listSealed(after, retiredAtOnce);
    const kept = oldest.findIndex(({ at }) => at >= time - auditSeconds);
    const last = oldest.at(kept === -1 ? -1 : kept - 1);
    if (kept === 0 || last === undefined) break;
    const event = auditEvent('audit.retired', time, 'system', { detail: { through: last.seq, hash: last.hash } });
    due = (await store.retireEvents({ after, anchor: last }, event)) && kept === -1 && oldest.length === retiredAtOnce;
    after = last.seq;
  }
  return after - chain.anchorSeq;
}
