/** `auth-agent mail …`: whether people can be reached. */
import { MailNotSent, sendTestMail } from 'auth-agent-mcp-server/node';
import { type Command, settingFlags } from '../command.ts';
import { configOf } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf } from '../terminal.ts';

export const testMail: Command = {
  name: 'mail test',
  about: 'send one mail with the settings of start',
  usage: '<address>',
  flags: settingFlags(['issuer', 'smtpUrl', 'mailFrom', 'dangerouslyPlainSmtp', 'serviceName', 'contact']),
  examples: ['auth-agent mail test you@example.com'],
  run: async (call) => {
    const [to = ''] = call.args;
    const { outcome, messageId } = await sendTestMail(to, configOf(call)).catch((error: unknown) => {
      throw failureOf(error);
    });
    if (outcome === 'refused')
      throw new Failure('refused', `The mail server refuses mail to ${safe(to)}`, {
        why: 'It took our sign-in and our sender, and said no to this recipient or this mail for good.',
        fix: 'Look into its log, or try another address',
      });
    const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
    return {
      data: { state: 'sent', message_id: messageId },
      lines: [ok(`The mail server took it: ${messageId}`)],
      notes: ['  Not there? Look into the spam folder.'],
    };
  },
};

/** What nodemailer's codes mean to whoever set the settings. */
const causes: readonly [RegExp, string][] = [
  [/^EAUTH/, 'User or password in AUTH_AGENT_SMTP_URL are not accepted'],
  [/^(EDNS|ENOTFOUND)/, 'The host in AUTH_AGENT_SMTP_URL has no address'],
  [/STARTTLS|ETLS|CERT|SSL/, 'There is no TLS whose certificate can be trusted; smtps:// is for port 465, smtp:// for 587 and 25'],
  [/MAIL FROM/, 'The mail server does not accept the sender in AUTH_AGENT_MAIL_FROM'],
  [/TIMEDOUT|Abort|ABORT/, 'The mail server does not answer in time; a firewall often closes port 25'],
  [/^(ECONNECTION|ESOCKET|ECONNREFUSED)/, 'Nothing answers at the host and port in AUTH_AGENT_SMTP_URL'],
];

function failureOf(error: unknown): unknown {
  if (error instanceof TypeError) return new Failure('usage', error.message, { fix: testMail.examples[0] });
  if (!(error instanceof MailNotSent)) return error;
  const why = causes.find(([pattern]) => pattern.test(error.message))?.[1] ?? 'The mail server said no for now';
  return new Failure('unreachable', `The mail was not sent: ${error.message}`, { why, fix: 'Correct the settings and run it again' });
}
