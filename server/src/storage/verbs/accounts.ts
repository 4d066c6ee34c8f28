/**
 * Verbs about a whole account: everything that is held about a person, and its end. Part of the store; which table holds what is in ../holdings.ts.
 */
import type { AuditEvent } from '../../audit/event.ts';

/** A row as it is handed out: columns by their names, without secrets, hashes and marks of ours. */
export type HeldRow = Record<string, string | number | null>;

export type AccountVerbs = {
  /** Gives a person a name, or none. */
  renameUser(userId: string, name: string | undefined, event: AuditEvent): Promise<boolean>;
  /** Up to `limit` rows of every table that holds something of this person, by the name of the table; empty for somebody unknown. */
  heldAbout(userId: string, limit: number): Promise<Record<string, HeldRow[]>>;
  /**
   * Deletes a person with everything that is theirs. Clients are told that the sessions ended; audit events stay, with the id but without address and detail.
   * "operator": nobody else could run this tenant. "owner": servers are theirs. Then nothing changed.
   */
  removeUser(userId: string, event: AuditEvent): Promise<'removed' | 'gone' | 'operator' | 'owner'>;
};
