/**
 * API keys of MCP servers. Part of the store; the question a key asks about a token is in access-tokens.ts.
 */
import type { AuditEvent } from '../../audit/event.ts';

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

export type ServerKeyVerbs = {
  addKey(key: ServerKey, event: AuditEvent): Promise<void>;
  listKeys(serverId: string): Promise<ServerKey[]>;
  /** True when this call revoked it. */
  revokeKey(serverId: string, keyId: string, event: AuditEvent): Promise<boolean>;
  findKey(keyHash: string): Promise<(ServerKey & { resource: string }) | undefined>;
};
