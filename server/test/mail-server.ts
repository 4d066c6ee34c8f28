/**
 * An SMTP server on loopback that keeps what it is given, parsed, and refuses what a test tells it to.
 */
import type { AddressInfo } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export type Received = { from: string; to: string[]; secure: boolean; raw: string; email: Email };
export type MailServer = {
  port: number;
  /** In the order of arrival. */
  received: Received[];
  close(): Promise<void>;
};

/** What to answer instead of yes: a reply code, by stage. */
export type Refusals = { connect?: number; mail?: number; rcpt?: number; data?: number };

/** Starts a server. `refuse` may be changed while it runs; `options` are those of smtp-server. */
export async function mailServer(options: SMTPServerOptions & { port?: number; host?: string } = {}, refuse: Refusals = {}): Promise<MailServer> {
  const received: Received[] = [];
  const { port = 0, host = '127.0.0.1', ...rest } = options;
  const server = new SMTPServer({
    authOptional: true,
    closeTimeout: 50,
    disabledCommands: options.cert ? [] : ['STARTTLS'],
    onConnect: (_, done) => done(refusal(refuse.connect)),
    onMailFrom: (_, __, done) => done(refusal(refuse.mail)),
    onRcptTo: (_, __, done) => done(refusal(refuse.rcpt)),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString('utf8');
        const { mailFrom, rcptTo } = session.envelope;
        const refused = refusal(refuse.data);
        if (refused) return done(refused);
        void PostalMime.parse(raw).then((email) => {
          received.push({ from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address), secure: session.secure === true, raw, email });
          done();
        });
      });
    },
    ...rest,
  });
  // A client that gives up in the middle is what some tests are about.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, host, () => resolve()));
  return {
    port: (server.server.address() as AddressInfo).port,
    received,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function refusal(code: number | undefined): Error | undefined {
  return code === undefined ? undefined : Object.assign(new Error('as the test wants it'), { responseCode: code });
}
