/**
 * One-time links and the codes that go with them: what somebody gets outside this browser, by mail or from an operator, and brings back once. Only types; the
 * rows are in tables/one-time-links.ts, who may ask for one and how often is account/'s.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { UpstreamIdentity } from './upstreams.ts';
import type { NewUser, Role } from './users.ts';

/**
 * `invitation`, `reset` and `email` are used by opening the link. `sign-in` and `sign-up` are proven in the browser that asked, with the code; a proven sign-up is then
 * used by the account that is made from it.
 */
export type LinkPurpose = 'invitation' | 'reset' | 'email' | 'sign-in' | 'sign-up';

export type OneTimeLink = {
  /** Names the row to the browser that asked. Opens nothing. */
  id: string;
  purpose: LinkPurpose;
  /** Hash of the secret in the address. */
  tokenHash: string;
  /** Keyed hash: the code is short enough to be tried out. */
  codeHash?: string;
  /** Hash of the cookie of the browser that asked; the code counts in no other. */
  browserHash?: string;
  /** Whom it is for. Absent where there is no account (yet): such a row keeps the answer the same for everybody, and its code is right for nobody. */
  userId?: string;
  /** The address it is about, as far as pages may show it. */
  email?: string;
  /** What an invited person becomes. */
  role?: Role;
  createdAt: number;
  expiresAt: number;
  provenAt?: number;
};

/** A code is dead after this many tries, the right one included. */
export const MAX_LINK_TRIES = 5;

/** `over`: unknown, of another browser, expired, proven before, or tried too often. */
export type LinkTry = 'right' | 'wrong' | 'over';

export type OneTimeLinkVerbs = {
  /**
   * Adds a link. With `replaces`, older ones of its purpose for the same person, or the same address, end: only the newest works. `sentTo`: the address of the person
   * that it is mailed to, which its use proves; none where it is handed over.
   */
  addLink(link: OneTimeLink, options: { replaces: boolean; sentTo?: string }, event: AuditEvent): Promise<void>;
  /** The link behind a secret, until it is used or expires; its person, if it has one, is enabled. */
  findLink(tokenHash: string, now: number): Promise<OneTimeLink | undefined>;
  /** The same by its name, for the browser that asked. */
  findOwnLink(id: string, browserHash: string, now: number): Promise<OneTimeLink | undefined>;
  /** Counts a try and proves the link when the code is right. Proven, it lives until `provenUntil`; a sign-in proves the address, too, that its mail went to. */
  tryLink(attempt: { id: string; browserHash: string; codeHash: string; now: number; provenUntil: number }): Promise<LinkTry>;
  /**
   * Uses an invitation or a proven sign-up and makes the person, with `identity` as somebody who signs in at an upstream. "used": somebody was first or it is too
   * late. "taken": the name, the address or the subject is, or the upstream is gone; the link stays.
   */
  acceptLink(linkId: string, user: NewUser, event: AuditEvent, identity?: Omit<UpstreamIdentity, 'userId'>): Promise<'done' | 'used' | 'taken'>;
  /**
   * Uses a reset link: replaces the password and ends the browser sessions and every other link of this person. What agents may do stays. A link
   * that was mailed proves the address it went to. False when it was used, is too late, or the person is disabled; nothing changed.
   */
  resetPassword(linkId: string, passwordHash: string, event: AuditEvent & { userId: string }): Promise<boolean>;
  /** Invitations that nobody has used yet; the newest first. */
  listInvitations(now: number): Promise<OneTimeLink[]>;
};
