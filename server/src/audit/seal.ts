/**
 * Seals audit events: gives those that were committed since the last time their places in the chain. Never in anybody's way; several nodes may do it at once, one
 * of them gets through. Also deletes what is older than the operator keeps, and leaves an anchor and an event in its place.
 */

import type { InstanceKeys } from '../crypto/instance-keys.ts';
import { randomId } from '../crypto/random.ts';
import type { AuditChain, Seal, Store } from '../storage/store.ts';
import { emptyChain, endMac, hashOf, isOurs, privateHashOf } from './chain.ts';
import { type AuditEvent, auditEvent } from './event.ts';

/** What of a tenant's context is needed. */
type Place = { store: Store; instance: InstanceKeys; now: () => number; log: Complaints; options: { auditSeconds: number } };
type Complaints = { error(event: string, fields: Record<string, string | number>): void };

/** A batch is a commit, and on SQLite nobody is answered meanwhile: about two milliseconds. */
const batch = 100;
/** So that a flood does not hold the caller for ever; the rest is for the next time. */
const longestSeconds = 30;

/** Seals what waits. Resolves to how many events: none where another secret wrote the end, for sealing more would sign what somebody else wrote. */
export async function sealEvents(place: Place): Promise<number> {
  let sealed = 0;
  const end = place.now() + longestSeconds;
  while (place.now() < end) {
    // The end of the chain first: what another node seals between the two reads moves it, and this round is refused.
    const chain = (await place.store.findChain()) ?? emptyChain;
    if (!isOurs(place.instance, place.store.tenant, chain)) {
      complain(chain, place);
      break;
    }
    const waiting = await place.store.listUnsealed(batch);
    // Whoever lost against another node leaves the rest to it.
    if (waiting.length === 0 || !(await sealBatch(chain, waiting, place))) break;
    sealed += waiting.length;
    if (waiting.length < batch) break;
  }
  return sealed;
}

/** Goes on with a chain whose end another secret signed, and says so in an event. Whoever calls has verified the rest of it. */
export async function adoptChain(place: Place, actor: string): Promise<void> {
  const { store, now } = place;
  const chain = (await store.findChain()) ?? emptyChain;
  await store.recordEvent(auditEvent('audit.adopted', now(), actor, { detail: { through: chain.seq, hash: chain.hash } }));
  await sealBatch(chain, await store.listUnsealed(batch), place);
  await sealEvents(place);
}

const complaints = new WeakMap<Store, number>();
const complainAgainSeconds = 3600;

function complain({ seq }: AuditChain, { store, now, log }: Place): void {
  if (now() - (complaints.get(store) ?? 0) < complainAgainSeconds) return;
  complaints.set(store, now());
  log.error('audit.not_sealed', { tenant: store.tenant, seq, means: 'the end of the record was not written with this secret; auth-agent audit verify' });
}

async function sealBatch(chain: AuditChain, waiting: readonly AuditEvent[], { store, instance, now }: Place): Promise<boolean> {
  const events = placed(store.tenant, chain, waiting);
  const { seq, hash } = events.at(-1) ?? chain;
  const end = { seq, hash, mac: endMac(instance, store.tenant, { ...chain, seq, hash }), sealedAt: now() };
  return store.sealEvents({ was: chain.mac, after: chain.seq, end, events });
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
export async function retireEvents(place: Place): Promise<number> {
  const { store, now, options } = place;
  if (options.auditSeconds === 0) return 0;
  const over = now() - options.auditSeconds;
  const { anchorSeq } = (await store.findChain()) ?? emptyChain;
  let gone = 0;
  if (!(await store.listSealed(anchorSeq, 1)).some(({ at }) => at < over - daySeconds)) return gone;
  for (let went = retiredAtOnce; went === retiredAtOnce; gone += went) went = await retireBatch(over, place);
  return gone;
}

/** Resolves to how many went: fewer than {@link retiredAtOnce} when nothing is left, or another node moved the chain meanwhile. */
async function retireBatch(over: number, { store, instance, now }: Place): Promise<number> {
  const chain = (await store.findChain()) ?? emptyChain;
  if (!isOurs(instance, store.tenant, chain)) return 0;
  const oldest = await store.listSealed(chain.anchorSeq, retiredAtOnce);
  const kept = oldest.findIndex(({ at }) => at >= over);
  const last = oldest.at(kept === -1 ? -1 : kept - 1);
  if (kept === 0 || last === undefined) return 0;
  const mac = endMac(instance, store.tenant, { ...chain, anchorSeq: last.seq, anchorHash: last.hash });
  const event = auditEvent('audit.retired', now(), 'system', { detail: { through: last.seq, hash: last.hash } });
  const moved = await store.retireEvents({ was: chain.mac, after: chain.anchorSeq, anchor: last, mac }, event);
  return moved ? last.seq - chain.anchorSeq : 0;
}
