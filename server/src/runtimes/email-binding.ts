/**
 * Hands mail over to Cloudflare's Email Service through a binding of a Worker, which has no SMTP. The service makes the Message-ID by itself and refuses one of
 * ours, so a mail whose answer was lost may arrive twice. Not here: what is sent and when it is tried again (mail/).
 */
import { MailNotSent } from '../mail/mail-not-sent.ts';
import type { MailSender } from '../options.ts';
import { senderAddress } from './sender-address.ts';

/** What `[[send_email]]` in wrangler.toml binds, as far as it is used here. */
export type EmailBinding = {
  send(mail: {
    from: { email: string; name: string };
    to: string;
    subject: string;
    text: string;
    html: string;
    headers: Record<string, string>;
  }): Promise<unknown>;
};

/** The one of the service's codes that is about the recipient for good; what an operator can change is tried again. */
const refusal = 'E_RECIPIENT_SUPPRESSED';

/** Makes a sender. @throws {TypeError} naming `mailFrom` and what it must be. */
export function emailBindingSender(binding: EmailBinding, from: string): MailSender {
  const { name, address } = senderAddress(from);
  return async ({ to, senderName, subject, text, html }) => {
    try {
      await binding.send({
        from: { email: address, name: name ?? senderName },
        to,
        subject,
        text,
        html,
        // RFC 3834 §5, and what Exchange reads: no absence notes come back.
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      });
      return 'sent';
    } catch (error) {
      const code = codeOf(error);
      if (code === refusal) return 'refused';
      throw new MailNotSent(code);
    }
  };
}

/** The message may hold an address, the code does not. */
function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^[A-Z_]{1,60}$/.test(code) ? code : 'the e-mail binding failed';
}
