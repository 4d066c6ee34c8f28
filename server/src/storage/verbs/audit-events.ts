/**
 * Security events that come with nothing else, and how they are read. Part of the store; their vocabulary is in audit/, the chain that they become in audit-chain.ts.
 */
import type { AuditEvent } from '../../audit/event.ts';

/** Which events; every member narrows. `since` is included, `before` is not. */
export type EventFilter = { userId?: string; clientId?: string; grantId?: string; type?: string; since?: number; before?: number };
/** An event as it is exported: with its place in the chain, once it has one. */
export type ExportedEvent = AuditEvent & { seq?: number; hash?: string };

export type AuditEventVerbs = {
  recordEvent(event: AuditEvent): Promise<void>;
  /** The newest first. */
  listEvents(filter: EventFilter & { limit: number }): Promise<AuditEvent[]>;
  /** The oldest first, after the one named: page by page, all of them. */
  pageEvents(page: EventFilter & { after?: Pick<AuditEvent, 'at' | 'id'>; limit: number }): Promise<ExportedEvent[]>;
};
