/**
 * The verb that gives a code that a person carries to another computer a second chance. Not here: making answers and codes (authorization-requests.ts, `approveRequest`).
 */
import type { AuditEvent } from '../../audit/event.ts';

/** `from` and `to` are the sealed answers, and the hashes of the codes in them. `expiresAt` is the end of the new code. */
export type Reissue = { idHash: string; from: { answer: string; codeHash: string }; to: { answer: string; codeHash: string }; now: number; expiresAt: number };

export type HandOffVerbs = {
  /** Puts a new code and answer in the place of those named, once, while that code is good. "over": it was used, has ended, or somebody was first; nothing changed. */
  reissueCode(reissue: Reissue, event: AuditEvent): Promise<'reissued' | 'over'>;
};
