/**
 * Every kind of mail as data: its letter, how long it is worth sending, and whether it waits a little for others of its kind, so that many at once become one
 * mail. A new kind is a file in views/mail/ and a row here. Not here: words and form (views/mail/), who is sent what (the room that queues it).
 */
import type { Letter, MailFrame } from '../views/mail/letter.ts';
import { type TestMailValues, testMail } from '../views/mail/test-mail.ts';

type Kind<Values> = {
  /** One letter about everything that has gathered: one value, unless the kind gathers. */
  letter(mail: MailFrame, all: readonly [Values, ...Values[]]): Letter;
  /** After this long nobody needs it any more. */
  lifetimeSeconds: number;
  /** Waits for others of its kind to the same person. */
  gathersSeconds?: number;
};
const kind = <Values>(row: Kind<Values>) => row;

export const mailKinds = {
  test: kind<TestMailValues>({ letter: testMail, lifetimeSeconds: 3600 }),
};

export type MailKind = keyof typeof mailKinds;
export type ValuesOf<Name extends MailKind> = (typeof mailKinds)[Name] extends Kind<infer Values> ? Values : never;

/** The row of a stored kind, whose values were typed when it was queued; undefined when this version does not know it. */
export function storedKind(name: string): Kind<unknown> | undefined {
  return Object.hasOwn(mailKinds, name) ? (mailKinds[name as MailKind] as unknown as Kind<unknown>) : undefined;
}
