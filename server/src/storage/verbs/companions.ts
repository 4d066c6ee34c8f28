/**
 * Grants that one approval made for several resources. Part of the store; one that stands alone is in grants.ts.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { Grant, GrantState } from './grants.ts';
import type { ConsentRecord } from './receipts.ts';

/** A grant for a further resource of a request, with its receipt and its event; made in the same commit as the first. */
export type Companion = { grant: Grant; receipt?: ConsentRecord; event: AuditEvent };

export type CompanionVerbs = {
  /** The living grant for a resource among those that were approved together with the grant named, that one included, and whether it stands. */
  findCompanion(companion: { approvedWith: string; resource: string }, now: number): Promise<({ grant: Grant } & GrantState) | undefined>;
  /** Revokes every living grant that was approved together with the one named, with their refresh family. True when this call ended any. */
  revokeApproval(approvedWith: string, reason: string, event: AuditEvent): Promise<boolean>;
};
