/**
 * Verbs by which a person looks at their browser sessions and ends them. Part of the store; beginning, finding and ending one session are in ../store.ts.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { Session } from '../store.ts';

export type SessionVerbs = {
  /** Living sessions, the one seen last first. */
  listSessions(userId: string, now: number): Promise<Session[]>;
  /** Ends every session of a person; with `agents` also their grants and refresh families. */
  endSessionsOf(userId: string, also: { agents: boolean }, event: AuditEvent): Promise<boolean>;
};
