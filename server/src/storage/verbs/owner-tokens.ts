/**
 * Owner tokens: what the management API is asked with. Part of the store.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { User } from './users.ts';

export type OwnerToken = { id: string; tokenHash: string; userId: string; name: string; createdAt: number; expiresAt: number; revokedAt?: number };

export type OwnerTokenVerbs = {
  addOwnerToken(token: OwnerToken, event: AuditEvent): Promise<void>;
  /** The enabled person behind a living owner token. */
  findOwner(tokenHash: string, now: number): Promise<User | undefined>;
  /** Oldest first, with those that have ended. */
  listOwnerTokens(): Promise<OwnerToken[]>;
  revokeOwnerToken(id: string, event: AuditEvent): Promise<boolean>;
};
