/**
 * Grants: what a person, or nobody, allowed a client on a resource. Part of the store; what hangs from one is in codes.ts, refresh-tokens.ts and access-tokens.ts.
 */
import type { AuditEvent } from '../../audit/event.ts';

export type Grant = {
  id: string;
  /** Absent for a machine grant (client_credentials). */
  userId?: string;
  clientId: string;
  /** Absent when the resource is the authorization server itself. */
  serverId?: string;
  resource: string;
  scope: string[];
  redirectUri?: string;
  /** SHA-256 of the client metadata the person saw: a changed document voids remembered consent (CIMD-16). */
  clientDigest?: string;
  /** What the person saw, verbatim, as JSON. */
  receipt?: string;
  createdAt: number;
  lastUsedAt: number;
  expiresAt?: number;
  /** The person allowed it once: there is no refresh token, and consent is not remembered from it. */
  once?: true;
  revokedAt?: number;
  revokedReason?: string;
  /** Its person paused it. */
  pausedAt?: number;
  /** The operator's hold that stops it. */
  holdId?: string;
  /** What the person took back: no longer in `scope`, though tokens issued before still carry it. */
  removedScope?: string[];
  /** Id of the first grant of an approval for several resources, on each of its grants: code and refresh family hang from that one. Absent when alone. */
  approvedWith?: string;
};

/** Whether what hangs from a grant may be used. `paused` is present when it would stand but for a pause: then it will again. */
export type GrantState = { standing: boolean; paused?: true };

export type Remembered = { grantId: string; scope: string[]; createdAt: number; expiresAt?: number };
/** A scope that a person's living grants allow a client on a resource; `until` is absent while one of them has no end. */
export type AllowedScope = { name: string; since: number; until?: number };

/** `from` is where the person sat who allowed it. */
export type ConnectedAgent = Grant & { serverName?: string; familyExpiresAt?: number; from?: { address?: string; userAgent?: string } };

export type GrantVerbs = {
  findGrant(id: string): Promise<Grant | undefined>;
  /** The scopes this person already allowed this client on this resource, with the same redirect URI and metadata; the newest living grant that was not for once. */
  rememberedConsent(
    key: { userId: string; clientId: string; resource: string; redirectUri: string; clientDigest: string },
    now: number,
  ): Promise<Remembered | undefined>;
  /** The union of what this person's living grants, but those for once, allow this client on this resource, whatever the redirect URI: what step-up calls "already allowed". */
  allowedScopes(key: { userId: string; clientId: string; resource: string }, now: number): Promise<AllowedScope[]>;
  /** The same of those given to this description of the client at this redirect URI: what does not have to be asked again. */
  allowedScopesSame(
    key: { userId: string; clientId: string; resource: string; redirectUri: string; clientDigest: string },
    now: number,
  ): Promise<AllowedScope[]>;
  listAgents(userId: string, now: number): Promise<ConnectedAgent[]>;
  listGrants(filter: { clientId?: string; userId?: string; serverId?: string }, now: number): Promise<Grant[]>;
  /** Revokes a living grant, and its refresh family unless that serves others that were approved with it. True when this call did it. */
  revokeGrant(id: string, reason: string, event: AuditEvent): Promise<boolean>;
  /** Revokes every living grant that this person gave the client of the named grant on its resource, with their refresh families. True when this call ended any. */
  disconnectAgent(userId: string, grantId: string, reason: string, event: AuditEvent): Promise<boolean>;
  /** The living machine grant of client × resource with at least this scope, and whether it is paused; created or widened when missing. One statement when it stands. */
  ensureMachineGrant(grant: Grant, event: AuditEvent): Promise<{ id: string; scope: string[]; paused?: true }>;
};
