/**
 * Issuers whose word counts here (RFC 7523), what hangs from it, and where ours counts. Part of the store.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { Grant } from './grants.ts';
import type { NewUser, User } from './users.ts';

/** An issuer whose assertions count here (RFC 7523): `identity` speaks for people (ID-JAG), `workload` for programs (Kubernetes, CI). */
export type TrustedIssuer = {
  issuer: string;
  kind: 'identity' | 'workload';
  /** Its keys, or where they are; with neither its metadata says where. */
  jwks?: { keys: Record<string, unknown>[] };
  jwksUri?: string;
  /** For people that are not linked: refuse them, or make an account for them. Never a link by e-mail. */
  provisioning?: 'linked' | 'create';
  /** Whether a token is good once. Always so for people. */
  once: boolean;
  createdAt: number;
};

/** Which machine client the workloads of a subject act as; a `*` at the end stands for anything. */
export type Workload = { subject: string; clientId: string };

/** Where a client may take an identity assertion of ours: to the issuer `audience`, for one resource there, as the client it is there. */
export type AssertionTarget = { clientId: string; audience: string; resource: string; clientIdThere: string; scope: string[] };

export type TrustedIssuerVerbs = {
  addIssuer(issuer: TrustedIssuer, event: AuditEvent): Promise<'added' | 'taken'>;
  findIssuer(issuer: string): Promise<TrustedIssuer | undefined>;
  listIssuers(): Promise<TrustedIssuer[]>;
  /** Ends the grants that stand on its word, and forgets its links and workloads. */
  removeIssuer(issuer: string, event: AuditEvent): Promise<boolean>;
  /** Says who a subject of an issuer is here. False when it is linked, or issuer or person are unknown. */
  linkIdentity(identity: { issuer: string; subject: string; userId: string }, event: AuditEvent): Promise<boolean>;
  /** Makes a person and the link in one act. False when the subject is linked, the name is taken or the issuer is unknown; nothing changed. */
  provisionIdentity(identity: { issuer: string; subject: string; user: NewUser }, event: AuditEvent): Promise<boolean>;
  findLinkedUser(issuer: string, subject: string): Promise<User | undefined>;
  listIdentities(issuer: string): Promise<{ subject: string; userId: string }[]>;
  unlinkIdentity(issuer: string, subject: string, event: AuditEvent): Promise<boolean>;
  /** Says which client a workload acts as. False when the subject has one, or the issuer is unknown. */
  addWorkload(workload: Workload & { issuer: string }, event: AuditEvent): Promise<boolean>;
  listWorkloads(issuer: string): Promise<Workload[]>;
  removeWorkload(issuer: string, subject: string, event: AuditEvent): Promise<boolean>;
  /**
   * The grant of issuer, person, client and resource that nobody ended, prolonged and with at least this scope but for what its person took back, and whether it is paused;
   * created when there is none. One that was over lives again with this scope alone. The event is of each beginning.
   * Nothing where the issuer is trusted no more, or the server is not for the person (AZ-37).
   */
  ensureIssuerGrant(
    asserted: { issuer: string; grant: Grant & { userId: string; expiresAt: number } },
    event: AuditEvent,
  ): Promise<{ id: string; paused?: true; removedScope?: string[] } | undefined>;
  /** False when there is one for this client, audience and resource. */
  addAssertionTarget(target: AssertionTarget, event: AuditEvent): Promise<boolean>;
  listAssertionTargets(clientId: string): Promise<AssertionTarget[]>;
  removeAssertionTarget(target: Pick<AssertionTarget, 'clientId' | 'audience' | 'resource'>, event: AuditEvent): Promise<boolean>;
};
