/**
 * Verbs and values of people who ask for access to a server that is for those on its list. Not here: the list (server-people.ts).
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { Membership } from './server-people.ts';

export type AccessDecision = 'approved' | 'denied';
/** A question of a person about a server. Times are epoch seconds; at `expiresAt` it is over, answered or not, and may be asked again. */
export type AccessRequest = Membership & {
  id: string;
  message: string;
  createdAt: number;
  expiresAt: number;
  decidedAt?: number;
  decision?: AccessDecision;
};
/** With who asks. */
export type AccessQuestion = AccessRequest & { username: string; name?: string; email?: string; serverName: string };

export type AccessRequestVerbs = {
  /** Asks, unless the person has asked and may not yet again, is on the list, or the server has none that counts. True when this call did it. */
  askForAccess(request: AccessRequest, event: AuditEvent): Promise<boolean>;
  /** What this person asked about this server, open or answered, until it is over. */
  findAccessRequest(membership: Membership, now: number): Promise<AccessRequest | undefined>;
  /** Open questions, the oldest first; about one server, or all. */
  listAccessRequests(filter: { serverId?: string; limit: number }, now: number): Promise<AccessQuestion[]>;
  /** Answers an open question once; yes puts the person on the list in the same commit. The answer is kept until `keptUntil`. False when there is none. */
  decideAccess(answer: { id: string; decision: AccessDecision; keptUntil: number }, event: AuditEvent): Promise<boolean>;
};
