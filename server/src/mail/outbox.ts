/**
 * What a server tells people by mail, once. Mail is a sealed row first, written with the event it tells about in the same commit; then it is sent,
 * by whichever node takes it. Not here: kinds of mail (kinds.ts), sending (deliver.ts), SMTP (runtimes/).
 */
import type { AuditEvent } from '../audit/event.ts';
import type { Exchange } from '../context.ts';
import { randomId } from '../crypto/random.ts';
import { type Relay, relay } from '../relay.ts';
import type { OutboxMail, User } from '../storage/store.ts';
import type { AccountNotice, AgentNotice, AgentNoticeValues } from '../views/mail/notice.ts';
import { type Delivering, deliverDue } from './deliver.ts';
import { type MailKind, mailKinds, type ValuesOf } from './kinds.ts';

export type Message<Kind extends MailKind> = {
  to: string;
  kind: Kind;
  values: ValuesOf<Kind>;
  /** BCP 47; English when nobody knows better. */
  locale?: string;
};

/** What somebody is warned of. An agent's notice names the agent, the server, and the path where it is seen and stopped. */
export type Notice = { user: Pick<User, 'email' | 'language'> } & (
  | { kind: AccountNotice }
  | { kind: AgentNotice; about: Pick<AgentNoticeValues, 'client' | 'server' | 'path' | 'days'> }
);

export type Outbox = {
  /** Whether this server can send mail. Without it nothing is queued, and what needs mail is off. */
  readonly on: boolean;
  /**
   * Gives an event the mail that tells about it: whatever verb of the store records the event writes the mail in the same commit, or neither.
   *
   *     store.changePassword(id, hash, context.mail.with(event, { to, kind, values }));
   */
  with<Kind extends MailKind>(event: AuditEvent, message: Message<Kind>): AuditEvent;
  /**
   * Gives an event about somebody's account or agents the notice that warns them, with the time, address and browser of the request, if one caused it. Who has no
   * address is not told.
   *
   *     store.removePasskey(passkey, context.mail.notify(event, { kind: 'passkey-removed', user }, exchange));
   */
  notify(event: AuditEvent, notice: Notice, exchange?: Exchange): AuditEvent;
  /** Sends in the background what came with events; for the clock of the runtime, about once a second. */
  tick(): void;
} & Pick<Relay, 'soon' | 'idle' | 'end'>;

/** Ticks after an event with mail in which to look for it: its commit may take a moment. */
const patience = 3;

/** The outbox of one tenant. */
export function outboxOf(place: Delivering): Outbox {
  const { options, now, log } = place;
  const on = options.sendMail !== undefined;
  let looks = 0;
  const { soon, idle, end } = relay(
    (goesOn) => deliverDue(place, goesOn),
    (cause) => log.error('mail.not_delivered', {}, cause),
    options,
  );

  const withMessage: Outbox['with'] = (event, message) => {
    if (!on) return event;
    looks = patience;
    return { ...event, mail: [...(event.mail ?? []), rowOf(message, now(), place)] };
  };

  return {
    on,
    soon,
    idle,
    end,
    with: withMessage,
    notify(event, notice, exchange) {
      const { user } = notice;
      if (user.email === undefined) return event;
      const moment = { at: event.at, address: exchange?.address, userAgent: exchange?.request.headers.get('user-agent')?.slice(0, 200) };
      const envelope = { to: user.email, locale: user.language };
      // The two halves are spelled out because each kind has its own values.
      if ('about' in notice) return withMessage(event, { ...envelope, kind: notice.kind, values: { ...moment, ...notice.about } });
      return withMessage(event, { ...envelope, kind: notice.kind, values: moment });
    },
    tick() {
      if (looks === 0) return;
      looks--;
      soon();
    },
  };
}

function rowOf<Kind extends MailKind>({ to, kind, values, locale }: Message<Kind>, now: number, { instance }: Delivering): OutboxMail {
  const { lifetimeSeconds, gathersSeconds } = mailKinds[kind] as { lifetimeSeconds: number; gathersSeconds?: number };
  const id = randomId('ml_', 12);
  return {
    id,
    kind,
    locale,
    sealed: instance.seal(`mail ${id}`, JSON.stringify({ to, values })),
    bundle: gathersSeconds === undefined ? undefined : instance.mac('mail bundle', kind, to, locale ?? ''),
    createdAt: now,
    dueAt: now + (gathersSeconds ?? 0),
    expiresAt: now + lifetimeSeconds,
  };
}
