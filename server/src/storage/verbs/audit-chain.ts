/**
 * The chain of a tenant's audit events: sealed in order some seconds after their commit, so that no commit waits for another. Part of the store, which keeps what it is
 * given: hashes are made and checked in audit/chain.ts.
 */
import type { AuditEvent } from '../../audit/event.ts';

/** Where a chain ends, and where it begins: after the anchor, the last event that retention deleted (0 and an empty hash before that). */
export type AuditChain = {
  seq: number;
  hash: string;
  /** Made with the instance secret over all of it: who has the database alone cannot write a chain of their own. Another at each move. */
  mac: string;
  sealedAt: number;
  anchorSeq: number;
  anchorHash: string;
};
/** The place of an event in its chain. `salt` is gone when address and detail were forgotten. */
export type Seal = { seq: number; hash: string; privateHash: string; salt?: string };
export type SealedEvent = AuditEvent & Seal;

export type AuditChainVerbs = {
  findChain(): Promise<AuditChain | undefined>;
  /** Events that have no place in the chain yet; the oldest first. */
  listUnsealed(limit: number): Promise<AuditEvent[]>;
  /** Puts events at the end of the chain, `after` its last (0 when there is none), if its mac still is `was`. False when another node was first; nothing changed. */
  sealEvents(sealing: {
    was: string;
    after: number;
    end: Pick<AuditChain, 'seq' | 'hash' | 'mac' | 'sealedAt'>;
    events: readonly (AuditEvent & Required<Seal>)[];
  }): Promise<boolean>;
  /** Sealed events after a place in the chain, in its order. */
  listSealed(after: number, limit: number): Promise<SealedEvent[]>;
  /** Deletes events from `after` up to `anchor`, which becomes the beginning of the chain, if its mac still is `was`. The event is written with it. False when another node was first. */
  retireEvents(retirement: { was: string; after: number; anchor: Pick<Seal, 'seq' | 'hash'>; mac: string }, event: AuditEvent): Promise<boolean>;
};
