/**
 * Owns: the mail to a new address, with the link that shows whose account would have it.
 */
import type { Letter, MailFrame } from './letter.ts';

export type EmailLinkValues = { path: string };

export function emailLinkMail({ t, serviceName: service }: MailFrame, [{ path }]: readonly [EmailLinkValues, ...EmailLinkValues[]]): Letter {
  return {
    subject: t('mail.email.subject', { service }),
    blocks: [{ text: t('mail.email.text', { service }) }, { link: t('mail.email.link'), path }, { text: t('mail.email.never') }],
  };
}
