/**
 * Sends one mail at once, past the outbox, so that an operator sees whether the settings are right. Needs no database.
 */
import { randomId } from '../crypto/random.ts';
import { testMailTo } from '../mail/write-mail.ts';
import { isEmailAddress } from '../rules/person.ts';
import type { Config } from './config.ts';
import { smtpSender } from './smtp.ts';
import { StartRefused } from './start-refused.ts';

export type TestMail = { outcome: 'sent' | 'refused'; messageId: string };

/** @throws {StartRefused} when mail is not set up; @throws {TypeError} for a setting or address that cannot be right; @throws {MailNotSent} with what the server said. */
export async function sendTestMail(to: string, { issuer, smtp, server }: Config): Promise<TestMail> {
  if (issuer === undefined)
    throw new StartRefused('No issuer is set', { kind: 'usage', why: 'Mail says where it comes from.', fix: 'AUTH_AGENT_ISSUER=https://auth.example.com' });
  if (!smtp) {
    const fix = 'AUTH_AGENT_SMTP_URL=smtp://user:password@mail.example.com:587 AUTH_AGENT_MAIL_FROM=auth@example.com';
    throw new StartRefused('No mail server is set', { kind: 'usage', why: 'Without one no mail is sent, and what needs mail is off.', fix });
  }
  if (!isEmailAddress(to)) throw new TypeError(`${JSON.stringify(to)} is no e-mail address`);
  const mail = testMailTo(to, randomId('ml_', 12), { issuer, serviceName: server.serviceName ?? 'Auth-Agent', contact: server.contact });
  const send = smtpSender(smtp);
  try {
    return { outcome: await send(mail), messageId: mail.messageId };
  } finally {
    send.close?.();
  }
}
