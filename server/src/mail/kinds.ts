/**
 * Every kind of mail as data: its letter, how long it is worth sending, and whether it waits a little for others of its kind, so that many at once become one
 * mail. A new kind is a file in views/mail/ and a row here. Not here: words and form (views/mail/), who is sent what (the room that queues it).
 */
import { type AccessAnsweredValues, type AccessAskedValues, accessAnsweredMail, accessAskedMail } from '../views/mail/access-mail.ts';
import { accountExistsMail, type CodeMailValues, signInCodeMail, signUpCodeMail } from '../views/mail/code-mail.ts';
import { type EmailLinkValues, emailLinkMail } from '../views/mail/email-mail.ts';
import { type KeyExpiringValues, keyExpiringMail } from '../views/mail/key-mail.ts';
import type { Letter, MailFrame } from '../views/mail/letter.ts';
import { type AccountNotice, type AccountNoticeValues, type AgentNotice, type AgentNoticeValues, accountNotice, agentNotice } from '../views/mail/notice.ts';
import { type ResetMailValues, resetMail } from '../views/mail/reset-mail.ts';
import { type TestMailValues, testMail } from '../views/mail/test-mail.ts';

export type Kind<Values> = {
  /** One letter about everything that has gathered: one value, unless the kind gathers. */
  letter(mail: MailFrame, all: readonly [Values, ...Values[]]): Letter;
  /** After this long nobody needs it any more. */
  lifetimeSeconds: number;
  /** Waits for others of its kind to the same person. */
  gathersSeconds?: number;
};
const kind = <Values>(row: Kind<Values>) => row;

/** A notice that is three days old is a record, not a warning. */
const noticeSeconds = 3 * 86_400;
const aboutAccount = (notice: AccountNotice) => kind<AccountNoticeValues>({ letter: accountNotice(notice), lifetimeSeconds: noticeSeconds });
const aboutAgents = (notice: AgentNotice) => kind<AgentNoticeValues>({ letter: agentNotice(notice), lifetimeSeconds: noticeSeconds, gathersSeconds: 60 });

export const mailKinds = {
  test: kind<TestMailValues>({ letter: testMail, lifetimeSeconds: 3600 }),
  'sign-in-code': kind<CodeMailValues>({ letter: signInCodeMail, lifetimeSeconds: 600 }),
  'sign-up-code': kind<CodeMailValues>({ letter: signUpCodeMail, lifetimeSeconds: 600 }),
  'account-exists': kind<{ path: string }>({ letter: accountExistsMail, lifetimeSeconds: 3600 }),
  'reset-link': kind<ResetMailValues>({ letter: resetMail, lifetimeSeconds: 3600 }),
  'email-link': kind<EmailLinkValues>({ letter: emailLinkMail, lifetimeSeconds: 3600 }),
  'access-asked': kind<AccessAskedValues>({ letter: accessAskedMail, lifetimeSeconds: noticeSeconds }),
  'access-approved': kind<AccessAnsweredValues>({ letter: accessAnsweredMail('approved'), lifetimeSeconds: noticeSeconds }),
  'access-denied': kind<AccessAnsweredValues>({ letter: accessAnsweredMail('denied'), lifetimeSeconds: noticeSeconds }),
  'key-expiring': kind<KeyExpiringValues>({ letter: keyExpiringMail, lifetimeSeconds: noticeSeconds, gathersSeconds: 60 }),

  // security: nobody can switch these off
  'agent-connected': aboutAgents('agent-connected'),
  'more-access': aboutAgents('more-access'),
  'key-reused': aboutAgents('key-reused'),
  'access-lapsed': aboutAgents('access-lapsed'),
  'new-device': aboutAccount('new-device'),
  'password-changed': aboutAccount('password-changed'),
  'passkey-added': aboutAccount('passkey-added'),
  'passkey-removed': aboutAccount('passkey-removed'),
  'factor-added': aboutAccount('factor-added'),
  'factor-removed': aboutAccount('factor-removed'),
  'sign-in-linked': aboutAccount('sign-in-linked'),
  'sign-in-unlinked': aboutAccount('sign-in-unlinked'),
  'reset-link-made': aboutAccount('reset-link-made'),
  'email-changed': aboutAccount('email-changed'),
};

export type MailKind = keyof typeof mailKinds;
export type ValuesOf<Name extends MailKind> = (typeof mailKinds)[Name] extends Kind<infer Values> ? Values : never;

/** The row of a stored kind, whose values were typed when it was queued; undefined when this version does not know it. */
export function storedKind(name: string): Kind<unknown> | undefined {
  return Object.hasOwn(mailKinds, name) ? (mailKinds[name as MailKind] as unknown as Kind<unknown>) : undefined;
}
