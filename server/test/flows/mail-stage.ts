/**
 * The stage for stories with mail: what was sent is kept, and the code and the link are read out of it as a person would.
 */
import type { MailSender, OutgoingMail, ServerOptions } from '../../src/options.ts';
import { type Stage, stage } from './authorize-stage.ts';

export type MailStage = Stage & {
  /** Every mail so far, after what waits was handed over. */
  mails(): Promise<OutgoingMail[]>;
  /** The newest mail to this address. @throws when there is none. */
  mailTo(address: string): Promise<OutgoingMail>;
};

export async function mailStage(signIn: NonNullable<ServerOptions['signIn']> = {}, overrides: Partial<ServerOptions> = {}): Promise<MailStage> {
  const sent: OutgoingMail[] = [];
  const sendMail: MailSender = async (mail) => {
    sent.push(mail);
    return 'sent';
  };
  const on = await stage({ sendMail, signIn: { emailCode: true, signUp: 'open', ...signIn }, ...overrides });
  const mails = async () => {
    await on.server.flush();
    await on.context.mail.idle();
    return sent;
  };
  return {
    ...on,
    mails,
    async mailTo(address) {
      const found = (await mails()).findLast(({ to }) => to === address);
      if (!found) throw new Error(`no mail to ${address}`);
      return found;
    },
  };
}

/** The code in a mail, as it is printed. */
export function codeIn({ text }: OutgoingMail): string {
  return /^ +(\d{4} \d{4})$/m.exec(text)?.[1] ?? '';
}

/** The first link in a mail. */
export function linkIn({ text }: OutgoingMail): string {
  return /^https:\/\/\S+$/m.exec(text)?.[0] ?? '';
}

/** Another code of the same form. */
export function anotherCode(code: string, by = 1): string {
  return String((Number(code.replace(' ', '')) + by) % 1e8).padStart(8, '0');
}
