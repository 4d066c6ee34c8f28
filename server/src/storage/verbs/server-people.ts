/**
 * The verbs about who may use an MCP server whose owner says so. Not here: the server itself and whether its list counts (`McpServer.people`).
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { User } from './users.ts';

export type Membership = { serverId: string; userId: string };

export type ServerPeopleVerbs = {
  /** Puts a person on the list of a server. False when they are on it, or server or person are unknown. */
  addServerPerson(membership: Membership, event: AuditEvent): Promise<boolean>;
  /** Takes a person off the list; if it counts, what they allowed on this server ends with it. True when this call did it. */
  removeServerPerson(membership: Membership, event: AuditEvent): Promise<boolean>;
  listServerPeople(serverId: string): Promise<User[]>;
  /** Whether the server is for everybody, or for this person. False for an unknown server. */
  mayUseServer(membership: Membership): Promise<boolean>;
};
