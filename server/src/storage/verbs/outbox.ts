/**
 * Mail that waits to be sent. A row comes with the event it tells about (`AuditEvent.mail`), in the same commit; it leaves when it was handed over,
 * refused for good, or is too old to be of use. What it says and to whom is sealed. Not here: SQL (tables/outbox.ts), sending (mail/).
 */

/** One mail as the outbox keeps it. */
export type OutboxMail = {
  id: string;
  kind: string;
  /** BCP 47 */
  locale?: string;
  /** Recipient and values, sealed under the instance secret. */
  sealed: string;
  /** Those that wait under one name are sent as one mail. */
  bundle?: string;
  createdAt: number;
  /** When it is tried first. */
  dueAt: number;
  expiresAt: number;
};
/** `last`: nobody will try again. */
export type DueMail = OutboxMail & { last: boolean };

export type OutboxVerbs = {
  /** Takes up to `limit` mails that are due, and those that wait in a bundle with one of them; each is this caller's until its next attempt is due. */
  claimMail(now: number, limit: number): Promise<DueMail[]>;
  /** They were handed over, or never will be. */
  settleMail(ids: readonly string[]): Promise<void>;
};
