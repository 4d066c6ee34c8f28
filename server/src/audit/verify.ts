/**
 * Verifies the chain of a tenant's audit events from its beginning to its end, and names the first event that is not what was sealed. Reads only.
 */

import type { InstanceKeys } from '../crypto/instance-keys.ts';
import type { AuditChain, SealedEvent, Store } from '../storage/store.ts';
import { emptyChain, hashOf, isOurs, privateHashOf } from './chain.ts';

/** A place in the chain and the hash there, as an operator wrote it down elsewhere: `<seq>:<hash>`. */
export type Checkpoint = { seq: number; hash: string };
export type Verification = {
  /** How many sealed events were looked at. */
  verified: number;
  /** How many of these had address and detail forgotten with their person. */
  forgotten: number;
  /** Where the chain begins: the last event that retention deleted. */
  anchor: Checkpoint;
  /** Where it ends: what to write down elsewhere. */
  end: Checkpoint;
  /** Events that wait to be sealed, at most {@link unsealedCounted}. */
  unsealed: number;
  /** The first thing that is wrong. Nothing after it was looked at. */
  broken?: { seq: number; id?: string; why: string };
};

export const unsealedCounted = 1000;
const page = 500;

/** `adopting` leaves out the one thing that depends on the secret. */
type Asked = { store: Store; instance: InstanceKeys; checkpoint?: Checkpoint; adopting?: boolean };

/** Looks at every sealed event. With a checkpoint also at whether this is the chain it was taken from. */
export async function verifyChain(asked: Asked): Promise<Verification> {
  const { store } = asked;
  const chain = (await store.findChain()) ?? emptyChain;
  const found: Verification = {
    verified: 0,
    forgotten: 0,
    anchor: { seq: chain.anchorSeq, hash: chain.anchorHash },
    end: { seq: chain.seq, hash: chain.hash },
    unsealed: (await store.listUnsealed(unsealedCounted)).length,
  };
  const broken = (await endProblem(chain, asked)) ?? (await walk(chain, found, asked));
  return broken ? { ...found, broken } : found;
}

type Problem = Verification['broken'];

/** What can be said without reading an event. */
async function endProblem(chain: AuditChain, { store, instance, checkpoint, adopting = false }: Asked): Promise<Problem> {
  const { seq, hash, anchorSeq, anchorHash } = chain;
  if (!adopting && !isOurs(instance, store.tenant, chain)) return { seq, why: 'the end of the chain was not written by a server with this secret' };
  if (checkpoint && checkpoint.seq > seq) return { seq, why: `the chain ends at ${seq}, before the checkpoint` };
  if (checkpoint && checkpoint.seq < anchorSeq)
    return { seq: checkpoint.seq, why: `the checkpoint is of an event that is no longer kept; the first one kept is ${anchorSeq + 1}` };
  if (checkpoint?.seq === anchorSeq && checkpoint.hash !== anchorHash) return { seq: anchorSeq, why: 'the checkpoint has another hash' };
  if (seq === anchorSeq && hash !== anchorHash) return { seq, why: 'the chain ends with another hash than its last event had' };
  if (anchorSeq === 0) return undefined;
  const retirements = await store.listEvents({ type: 'audit.retired', limit: page });
  const told = retirements.some(({ detail }) => detail?.through === anchorSeq && detail.hash === anchorHash);
  return told ? undefined : { seq: anchorSeq, why: 'events up to here are gone, and no event says that retention deleted them' };
}

async function walk(chain: AuditChain, found: Verification, asked: Asked): Promise<Problem> {
  const { store, checkpoint } = asked;
  const left = leavers(store);
  let before = chain.anchorHash;
  let seq = chain.anchorSeq;
  while (seq < chain.seq) {
    const events = (await store.listSealed(seq, page)).filter((event) => event.seq <= chain.seq);
    if (events.length === 0) return { seq: seq + 1, why: 'the event is missing' };
    for (const event of events) {
      seq += 1;
      const why = problemOf(store.tenant, before, seq, event) ?? (await forgottenProblem(event, found, left));
      if (why !== undefined) return { seq, id: event.seq === seq ? event.id : undefined, why };
      if (checkpoint?.seq === seq && checkpoint.hash !== event.hash)
        return { seq, id: event.id, why: 'the checkpoint has another hash: the chain was written anew' };
      found.verified += 1;
      before = event.hash;
    }
  }
  return before === chain.hash ? undefined : { seq, why: 'the chain ends with another hash than its last event has' };
}

function problemOf(tenant: string, before: string, seq: number, event: SealedEvent): string | undefined {
  if (event.seq !== seq) return 'the event is missing';
  if (hashOf(tenant, before, event) !== event.hash) return 'the event, or its place, is not what was sealed';
  if (isForgotten(event) || privateHashOf(event.salt ?? '', event) === event.privateHash) return undefined;
  return 'address or detail are not what was sealed';
}

const isForgotten = ({ salt, address, detail }: SealedEvent): boolean => salt === undefined && address === undefined && detail === undefined;

/** Address and detail go when their person does, and never else. */
async function forgottenProblem(event: SealedEvent, found: Verification, left: (userId: string) => Promise<boolean>): Promise<string | undefined> {
  if (!isForgotten(event)) return undefined;
  if (event.userId === undefined || !(await left(event.userId))) return 'address and detail are gone, and no event says that the person deleted their account';
  found.forgotten += 1;
  return undefined;
}

/** Asks once for each person. */
function leavers(store: Store): (userId: string) => Promise<boolean> {
  const known = new Map<string, boolean>();
  return async (userId) => {
    const left =
      known.get(userId) ?? ((await store.findUser(userId)) === undefined && (await store.listEvents({ userId, type: 'user.removed', limit: 1 })).length > 0);
    known.set(userId, left);
    return left;
  };
}
