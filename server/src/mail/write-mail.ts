/**
 * From a kind and its values to a mail that is ready to send. Pure. Not here: where the values come from (deliver.ts), words and form (views/mail/).
 */
import type { OutgoingMail } from '../options.ts';
import { type MailFrame, writeLetter } from '../views/mail/letter.ts';
import { wordsFor } from '../views/words.ts';
import { type Kind, mailKinds } from './kinds.ts';

export type Unwritten = { kind: Kind<unknown>; values: readonly [unknown, ...unknown[]]; id: string; to: string; locale?: string };
/** Whose mail it is, and who they are to the person. `issuer` is where links begin. */
export type From = Pick<MailFrame, 'issuer' | 'serviceName' | 'contact' | 'passwordless' | 'tenant'>;

/** One mail about all of the values. */
export function writeMail({ kind, values, id, to, locale = 'en' }: Unwritten, from: From): OutgoingMail {
  const frame = { ...wordsFor(locale), ...from };
  const messageId = `<${id}@${new URL(from.issuer).hostname}>`;
  return { to, senderName: from.serviceName, ...writeLetter(frame, kind.letter(frame, values)), messageId };
}

/** The mail by which an operator sees whether mail works; it passes no outbox. */
export function testMailTo(to: string, id: string, from: From): OutgoingMail {
  return writeMail({ kind: mailKinds.test, values: [{}], id, to }, from);
}
