/**
 * Grants that are used through other grants (RFC 8693). Part of the store.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { Grant } from './grants.ts';

/** A grant that a client may use through another one, and when this was last noted. */
export type Approval = { grant: Grant; notedAt?: number };

export type Delegation = { grantId: string; subjectGrantId: string; userId: string; expiresAt: number };
/** Who used the grant, and where they were allowed: the client and resource of the grant it was used through. */
export type NotedDelegation = { grantId: string; clientId: string; resource: string; serverName?: string; lastUsedAt: number };

export type DelegationVerbs = {
  /** The newest living grants of person × client × resource, each with its note of being used through the subject's grant. */
  listApprovals(key: { userId: string; clientId: string; resource: string; subjectGrantId: string }, now: number): Promise<Approval[]>;
  /** Notes that a grant is used through another one, at the time of the event, which is written the first time only. */
  noteDelegation(delegation: Delegation, event: AuditEvent): Promise<void>;
  /** How the grants of this person were used through others that still live; the latest first. */
  listDelegations(userId: string, now: number): Promise<NotedDelegation[]>;
};
