/**
 * Owns: the mails with a code and a link, for signing in and for making an account, and what goes to an address that has an account already.
 */
import type { Letter, MailFrame } from './letter.ts';

/** `code` as it is shown; `path` of the link that fills it in. */
export type CodeMailValues = { code: string; path: string };

/** The code first: a preview of the mail is all that many people open. */
export function signInCodeMail({ t, serviceName: service }: MailFrame, [{ code, path }]: readonly [CodeMailValues, ...CodeMailValues[]]): Letter {
  return {
    subject: t('mail.signInCode.subject', { service, code }),
    blocks: [
      { text: t('mail.signInCode.text', { service }) },
      { code },
      { link: t('mail.code.link'), path },
      { text: t('mail.code.same') },
      { text: t('mail.code.never') },
    ],
  };
}

export function signUpCodeMail({ t, serviceName: service }: MailFrame, [{ code, path }]: readonly [CodeMailValues, ...CodeMailValues[]]): Letter {
  return {
    subject: t('mail.signUpCode.subject', { service, code }),
    blocks: [
      { text: t('mail.signUpCode.text', { service }) },
      { code },
      { link: t('mail.code.link'), path },
      { text: t('mail.code.same') },
      { text: t('mail.signUpCode.never') },
    ],
  };
}

/** Whoever has the mailbox learns it; whoever typed the address does not. */
export function accountExistsMail({ t, serviceName: service }: MailFrame, [{ path }]: readonly [{ path: string }, ...{ path: string }[]]): Letter {
  return {
    subject: t('mail.accountExists.subject', { service }),
    blocks: [{ text: t('mail.accountExists.text', { service }) }, { link: t('mail.accountExists.link'), path }, { text: t('mail.accountExists.never') }],
  };
}
