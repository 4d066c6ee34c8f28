/**
 * The verb by which a person gets another e-mail address: by a link that was sent to it, or by an operator's word.
 */
import type { AuditEvent } from '../../audit/event.ts';

/** `linkId`: the link that proved the address, which is used up with it. Without one nobody knows whether mail reaches it. */
export type NewAddress = { userId: string; email: string; linkId?: string };

export type EmailVerbs = {
  /**
   * Replaces a person's address and ends every other link and code that was sent to them; sessions and agents stay. "taken": somebody else answers to it, and a link
   * stays open. "gone": the link is used, too old or of another address, or the person is unknown or disabled.
   */
  changeEmail(address: NewAddress, event: AuditEvent): Promise<'changed' | 'taken' | 'gone'>;
};
