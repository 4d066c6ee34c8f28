/**
 * Verbs and rows of passkeys (WebAuthn credentials), and of the question how many ways lead into an account. Part of the store; SQL is in ../tables/.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { User } from './users.ts';

export type Passkey = {
  /** What forms and events call it. */
  id: string;
  userId: string;
  /** Made by the authenticator; base64url. */
  credentialId: string;
  /** Who the person is to their authenticator (WebAuthn §5.4.3): tells nobody anything, and is another in each tenant. */
  userHandle: string;
  /** COSE key, base64url. */
  publicKey: string;
  /** Signature counter; 0 for authenticators that do not count, as those that synchronise do not. */
  counter: number;
  transports: string[];
  /** The kind of authenticator, as it says itself; all zeros when it does not. */
  aaguid: string;
  /** Chosen by the person; absent: named after the kind. */
  name?: string;
  /** Whether it may leave the device it was made on. */
  backupEligible: boolean;
  backedUp: boolean;
  createdAt: number;
  lastUsedAt?: number;
};

/** What an authenticator said when it signed. */
export type PasskeyUse = { credentialId: string; counter: number; backedUp: boolean; now: number };

/** Which ways to sign in are on: only these count as ways in. A code by mail is one to whoever has proven their address. */
export type WaysOn = { password: boolean; passkeys: boolean; upstreams: boolean; emailCode: boolean };

export type PasskeyVerbs = {
  /** "taken": the authenticator's id is known already. "full": the person has MAX_PASSKEYS. */
  addPasskey(passkey: Passkey, event: AuditEvent): Promise<'added' | 'taken' | 'full'>;
  /** Oldest first. */
  listPasskeys(userId: string): Promise<Passkey[]>;
  /** With its person, disabled or not. */
  findPasskey(credentialId: string): Promise<{ passkey: Passkey; user: User } | undefined>;
  /** Notes a use whose signature was checked. False: the counter did not grow, as when two copies of a key are about (WebAuthn §6.1.1); nothing is noted. */
  usePasskey(use: PasskeyUse): Promise<boolean>;
  renamePasskey(passkey: { userId: string; id: string; name: string }, event: AuditEvent): Promise<boolean>;
  /** Removes it unless it is the last way in. Of any number of removals at once, one way in stays. */
  removePasskey(passkey: { userId: string; id: string; ways: WaysOn }, event: AuditEvent): Promise<'removed' | 'last' | 'gone'>;
  /** How many of the ways that are on lead into the account: each password, passkey, account elsewhere, proven address is one. */
  countWaysIn(userId: string, ways: WaysOn): Promise<number>;
};
export const MAX_PASSKEYS = 20;
