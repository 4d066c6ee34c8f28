/**
 * Verbs and values of access that ends by itself: because nobody used it, because nothing lasts longer here, or because the person chose that end.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { Grant } from './grants.ts';
import type { User } from './users.ts';

/** A living grant of a person whose refresh family is over. Times are epoch seconds. */
export type OverGrant = Grant & {
  user: Pick<User, 'id' | 'email' | 'language'>;
  serverName?: string;
  /** When its refresh token was used last, when it ended for that, and when it would have ended however busy. */
  rotatedAt: number;
  idleExpiresAt: number;
  familyExpiresAt: number;
  /** The agent is connected by another grant, whose family ends later. */
  staysConnected: boolean;
};

export type LapseVerbs = {
  /**
   * Up to `limit` living grants of people whose refresh family was over between `since` and `now`, those that ended first. One without an end that never had a family is
   * over when it is `lifetime` seconds old, unless its client speaks for a server. `since` spares who asks again the way past what has ended since.
   */
  listOverGrants(asked: { since: number; now: number; limit: number; lifetime: number }): Promise<OverGrant[]>;
  /** Ends such a grant, with its family. True when this call did it: of several that try at once, one, and only that one's event is recorded. */
  lapseGrant(grantId: string, reason: string, event: AuditEvent): Promise<boolean>;
};
