/**
 * Hands mail over to an SMTP server (RFC 5321) through nodemailer, which is loaded with the first mail. Off loopback nothing leaves without TLS, everything has a
 * time limit, and what goes wrong is said without addresses and secrets. Not here: what is sent and when it is tried again (mail/).
 */
import type { Transporter } from 'nodemailer';
import { MailNotSent } from '../mail/mail-not-sent.ts';
import { isLoopbackHost, type MailSender, type OutgoingMail } from '../options.ts';
import { type SenderAddress, senderAddress } from './sender-address.ts';

export type SmtpSettings = {
  /** `smtp://user:password@host:587` (STARTTLS) or `smtps://user:password@host:465`. */
  url: string;
  /** `auth@example.com` or `Example <auth@example.com>`. */
  from: string;
  /** Send even when the server offers no STARTTLS: whoever is between reads codes and links. */
  dangerouslyPlain?: boolean;
  /** Certificates to trust instead of the process's own, in PEM. */
  ca?: string;
  /** Milliseconds for one mail, from the first byte to the last answer. Less than the outbox waits before it tries again. */
  timeoutMs?: number;
};

/** Makes a sender. Opens nothing until the first mail. @throws {TypeError} naming `smtpUrl` or `mailFrom` and what it must be. */
export function smtpSender(settings: SmtpSettings): MailSender {
  const sender = senderAddress(settings.from);
  const server = serverOf(settings);
  const { timeoutMs = 45_000 } = settings;
  let transport: Promise<Transporter> | undefined;
  const open = async () => (await import('nodemailer')).createTransport({ ...server, ...limitsOf(timeoutMs) });

  const sendMail: MailSender = async (mail) => {
    transport ??= open();
    try {
      await (await transport).sendMail({ ...messageOf(mail, sender), signal: AbortSignal.timeout(timeoutMs) });
      return 'sent';
    } catch (error) {
      if (isRefusal(error)) return 'refused';
      throw new MailNotSent(shortly(error));
    }
  };
  const close = () => {
    void transport?.then((opened) => opened.close());
    transport = undefined;
  };
  return Object.assign(sendMail, { close });
}

function messageOf({ to, senderName, ...mail }: OutgoingMail, sender: SenderAddress) {
  return {
    ...mail,
    from: { name: sender.name ?? senderName, address: sender.address },
    to: { name: '', address: to },
    envelope: { from: sender.address, to: [to] },
    // RFC 3834 §5, and what Exchange reads: no absence notes come back.
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function serverOf({ url, dangerouslyPlain = false, ca }: SmtpSettings) {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed?.hostname || (parsed.protocol !== 'smtp:' && parsed.protocol !== 'smtps:') || parsed.pathname.length > 1 || parsed.search || parsed.hash)
    throw new TypeError('"smtpUrl" must be smtp://user:password@host:587 or smtps://user:password@host:465');
  const secure = parsed.protocol === 'smtps:';
  const local = isLoopbackHost(parsed.hostname);
  const [user, pass] = [decoded(parsed.username), decoded(parsed.password)];
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: Number(parsed.port || (secure ? 465 : 587)),
    secure,
    // On loopback nobody is between, and local servers have certificates that nobody signed.
    requireTLS: !secure && !local && !dangerouslyPlain,
    ignoreTLS: !secure && local,
    auth: user === '' ? undefined : { user, pass },
    tls: { minVersion: 'TLSv1.2' as const, ...(ca === undefined ? {} : { ca }) },
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError('"smtpUrl" must be percent-encoded in its user and password: % is %25, @ is %40, / is %2F');
  }
}

/** The outbox tries again, so the pool does not: a mail that the server may have taken is not sent again at once. */
function limitsOf(timeoutMs: number) {
  const step = Math.min(10_000, timeoutMs);
  return {
    pool: true as const,
    maxConnections: 5,
    maxMessages: 100,
    maxRequeues: 0,
    idleTimeout: 60_000,
    dnsTimeout: step,
    connectionTimeout: step,
    greetingTimeout: step,
    socketTimeout: Math.min(20_000, timeoutMs),
    logger: false as const,
  };
}

type SmtpError = { code?: string; responseCode?: number; command?: string; syscall?: string };

/** RFC 5321 §4.2.1: 5yz for the recipient or the mail itself is the last word; about us (sign-in, sender) an operator can change it. */
function isRefusal(error: unknown): boolean {
  const { responseCode = 0, command } = error as SmtpError;
  return responseCode >= 500 && (command === 'RCPT TO' || command === 'DATA');
}

function shortly(error: unknown): string {
  const { code = (error as Error).name, responseCode, command, syscall } = error as SmtpError;
  // nodemailer calls both ESOCKET: a connection that failed, which names the call of the system, and a TLS or certificate that did.
  return [code === 'ESOCKET' && syscall === undefined ? 'ETLS' : code, command, responseCode].filter((part) => part !== undefined).join(' ');
}
