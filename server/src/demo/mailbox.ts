/**
 * Mail in development mode goes nowhere: it is kept in memory until the end of the run, and shown on a page of this computer. Newest first.
 */
import type { Log } from '../context.ts';
import type { MailSender } from '../options.ts';
import type { CaughtMail } from '../views/mailbox-page.ts';

export const mailboxPath = '/dev/mail';
const most = 100;

export type Mailbox = { sendMail: MailSender; readonly mails: readonly CaughtMail[] };

/** Says on the terminal where each mail can be read. */
export function mailbox({ issuer, log, now }: { issuer: string; log: Log; now: () => number }): Mailbox {
  const mails: CaughtMail[] = [];
  return {
    mails,
    async sendMail({ to, subject, text }) {
      mails.unshift({ at: now(), to, subject, text });
      mails.splice(most);
      log.info('mail.kept', { to, subject, read_it: issuer + mailboxPath });
      return 'sent';
    },
  };
}
