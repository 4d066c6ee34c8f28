/**
 * Verbs by which a person changes their own password. Part of the store; making and rehashing one are in users.ts, resetting in one-time-links.ts.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { WaysOn } from './passkeys.ts';

/** `keeping`: the session that stays when all others are to end. */
export type OwnPassword = { userId: string; passwordHash: string; keeping?: string };

export type PasswordVerbs = {
  /** Sets or replaces the password and ends the person's open links and codes; what agents may do stays. False: nobody has the id. */
  setPassword(password: OwnPassword, event: AuditEvent): Promise<boolean>;
  hasPassword(userId: string): Promise<boolean>;
  /** Removes it unless it is the last way in. */
  removePassword(password: { userId: string; ways: WaysOn }, event: AuditEvent): Promise<'removed' | 'last' | 'gone'>;
};
