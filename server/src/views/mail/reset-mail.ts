/**
 * Owns: the mail with a link to choose a new password.
 */
import type { Letter, MailFrame } from './letter.ts';

export type ResetMailValues = { path: string };

export function resetMail({ t, serviceName: service }: MailFrame, [{ path }]: readonly [ResetMailValues, ...ResetMailValues[]]): Letter {
  return {
    subject: t('mail.reset.subject', { service }),
    blocks: [{ text: t('mail.reset.text', { service }) }, { link: t('mail.reset.link'), path }, { text: t('mail.reset.never') }],
  };
}
