/**
 * Clients that register themselves (RFC 7591, RFC 7592), and the tokens with which they may. Part of the store.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { Client } from './clients.ts';

/** An initial access token (RFC 7591 §3): who has one may register that often. */
export type RegistrationToken = { id: string; tokenHash: string; name: string; usesLeft: number; createdAt: number; expiresAt: number; revokedAt?: number };

/** `managementHash` is the one that the client must still have; `endsGrants` when what people allowed must not go on. */
export type ClientReplacement = { client: Client; managementHash: string; endsGrants: boolean };

export type RegistrationVerbs = {
  /** Replaces metadata, secret, management token and standing of a living client that still has the management token named. False: somebody was first. */
  replaceClient(replacement: ClientReplacement, event: AuditEvent): Promise<boolean>;
  addRegistrationToken(token: RegistrationToken, event: AuditEvent): Promise<void>;
  /** Whether a token lives and has a use left. Takes none, so the use may be gone when it is taken. */
  hasRegistrationToken(tokenHash: string, now: number): Promise<boolean>;
  /** Takes one use of a living token and resolves to its id; undefined when there is none to take. */
  useRegistrationToken(tokenHash: string, now: number): Promise<string | undefined>;
  listRegistrationTokens(): Promise<RegistrationToken[]>;
  revokeRegistrationToken(id: string, event: AuditEvent): Promise<boolean>;
  /** Turns dynamic clients unused since `unusedSince` and without a living grant into tombstones, and deletes tombstones older than `forgetBefore`; at most `limit` each. Returns how many went. */
  expireDynamicClients(unusedSince: number, forgetBefore: number, limit: number, now: number): Promise<number>;
  /** Living dynamic clients that never got a grant: what the global cap of DCR-14 counts. */
  countUnconsentedClients(): Promise<number>;
};
