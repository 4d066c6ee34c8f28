/**
 * Owns: the mail that shows an operator that mail works.
 */
import type { Letter, MailFrame } from './letter.ts';

/** Nothing: it says only where it comes from. */
export type TestMailValues = Record<never, never>;

export function testMail({ t, serviceName }: MailFrame): Letter {
  return { subject: t('mail.test.subject', { service: serviceName }), blocks: [{ text: t('mail.test.text', { service: serviceName }) }] };
}
