/**
 * API keys of MCP servers. Part of the store; the question a key asks about a token is in access-tokens.ts.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { User } from './users.ts';

export type ServerKey = {
  id: string;
  serverId: string;
  name: string;
  secretHash: string;
  createdAt: number;
  expiresAt: number;
  revokedAt?: number;
  lastUsedAt?: number;
};

/** A key in use whose end is near, with whoever its server belongs to. */
export type EndingKey = Pick<ServerKey, 'id' | 'serverId' | 'name' | 'expiresAt'> & {
  serverName: string;
  owner: Pick<User, 'id' | 'email' | 'language'>;
};

export type ServerKeyVerbs = {
  addKey(key: ServerKey, event: AuditEvent): Promise<void>;
  listKeys(serverId: string): Promise<ServerKey[]>;
  /** True when this call revoked it. */
  revokeKey(serverId: string, keyId: string, event: AuditEvent): Promise<boolean>;
  findKey(keyHash: string): Promise<(ServerKey & { resource: string }) | undefined>;
  /**
   * Up to `limit` living keys that were used since `usedSince` and whose end is to be warned of now: it has come within 30, 7 or 1 day since the key was made and
   * somebody was last warned of it. Those that end first come first.
   */
  listEndingKeys(asked: { now: number; usedSince: number; limit: number }): Promise<EndingKey[]>;
  /** Notes such a warning. True when this call did: of several that try at once, one, and only that one's event is recorded. */
  warnOfKey(keyId: string, event: AuditEvent): Promise<boolean>;
  /** When the first key ends that was used since `usedSince` and not revoked. One that has ended since counts: its server may not know yet. */
  findFirstKeyEnd(usedSince: number): Promise<number | undefined>;
};
