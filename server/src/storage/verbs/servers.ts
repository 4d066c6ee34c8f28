/**
 * MCP servers and the verbs about them. Part of the store; their keys are in server-keys.ts.
 */
import type { AuditEvent } from '../../audit/event.ts';

export type ScopeGroup = 'identity' | 'see' | 'change' | 'delete' | 'admin';
/** A permission of an MCP server in its owner's words, `descriptions` by language (BCP 47). `optional` scopes start unticked on the consent page. */
export type ServerScope = { name: string; description?: string; descriptions?: Record<string, string>; group?: ScopeGroup; optional?: boolean };

export type McpServer = {
  id: string;
  ownerId: string;
  /** Canonical resource identifier (RFC 8707), unique in the tenant: what goes into `aud`. */
  resource: string;
  serverUrl: string;
  name: string;
  description?: string;
  scopes: ServerScope[];
  defaultScopes?: string[];
  logoUrl?: string;
  /** The longest a person may allow anything here; without it the person alone decides. */
  maxDuration?: MaxDuration;
  /** `listed`: only the people on its list may use it. Absent: everybody with an account. */
  people?: 'listed';
  createdAt: number;
  updatedAt: number;
};

export type MaxDuration = '30_days' | '8_hours' | 'once';

export type ServerVerbs = {
  addServer(server: McpServer, event: AuditEvent): Promise<'added' | 'taken'>;
  findServer(id: string): Promise<McpServer | undefined>;
  findServerByResource(resource: string): Promise<McpServer | undefined>;
  /** Whether a server with another resource offers one of these scopes: such a request has confused two resources (AZ-19). A scan, for the rare request with scopes that its target does not know. */
  isScopeOfAnother(scopes: readonly string[], resource: string): Promise<boolean>;
  /** Servers of one owner, or all for an operator; oldest first, at most `limit`, after the place of `after`, which may be gone. */
  listServers(page: { ownerId?: string; limit: number; after?: Pick<McpServer, 'createdAt' | 'id'> }): Promise<McpServer[]>;
  /**
   * Writes every column but id, owner and creation. "taken": another server has the resource. With `seen`, only in the place of what was read: "changed" when somebody
   * else wrote first, read again.
   */
  updateServer(server: McpServer, event: AuditEvent, seen?: McpServer): Promise<'updated' | 'taken' | 'gone' | 'changed'>;
  /** Removes the server and its keys and revokes its grants. */
  removeServer(id: string, event: AuditEvent): Promise<boolean>;
};
