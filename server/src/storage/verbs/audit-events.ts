/**
 * Security events that come with nothing else, and how they are read. Part of the store; their vocabulary is in audit/.
 */
import type { AuditEvent } from '../../audit/event.ts';

export type AuditEventVerbs = {
  recordEvent(event: AuditEvent): Promise<void>;
  listEvents(filter: { userId?: string; grantId?: string; type?: string; limit: number }): Promise<AuditEvent[]>;
};
