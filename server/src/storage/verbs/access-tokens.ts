/**
 * Whether an access token still counts, and the end of a single one. They are signed and not stored. Part of the store.
 */
import type { AuditEvent } from '../../audit/event.ts';

/** The one indexed question behind /introspect: who asks with this key, and does the token's grant still stand? */
export type Standing = {
  key: { id: string; serverId: string; resource: string; expiresAt: number; revokedAt?: number };
  /** Absent when the grant is unknown. `active` is false when grant or person was revoked, disabled, paused or has ended, or the jti was revoked. `removedScope` is what tokens may carry and the person took back. */
  grant?: { active: boolean; userId?: string; username?: string; email?: string; removedScope?: string[] };
};

export type AccessTokenVerbs = {
  /** See {@link Standing}. `jti` and `grantId` come from a verified token. Undefined when no such key exists. */
  standingForKey(question: { keyHash: string; grantId: string; jti: string; now: number }): Promise<Standing | undefined>;
  /** The same for callers without a key (a confidential client, userinfo). */
  standing(question: { grantId: string; jti: string; now: number }): Promise<Standing['grant']>;
  /** Revokes one access token until it would have expired anyway. */
  revokeAccessToken(jti: string, expiresAt: number, event: AuditEvent): Promise<void>;
};
