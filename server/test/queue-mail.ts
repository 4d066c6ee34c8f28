/** Mail as it comes into being: with an event, in one commit; and sent by the housekeeping, which is not waited for anywhere else. */
import { auditEvent } from '../src/audit/event.ts';
import type { Context } from '../src/context.ts';
import type { MailKind } from '../src/mail/kinds.ts';
import type { Message } from '../src/mail/outbox.ts';

/** Writes it and begins to send it. */
export async function queueMail<Kind extends MailKind>({ store, mail, now }: Context, message: Message<Kind>): Promise<void> {
  await store.recordEvent(mail.with(auditEvent('user.signed_in', now(), 'test'), message));
  mail.soon();
}

/** Hands over what is due, and resolves when that is done. */
export async function handOver(relay: { soon(): void; idle(): Promise<void> }): Promise<void> {
  relay.soon();
  await relay.idle();
}
