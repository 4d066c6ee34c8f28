/**
 * Mail that waits to be sent. Other tables need not know it: mail rides on the statement that records the event it tells about
 * (audit-events.ts), and is written only where the event was.
 */
import type { AuditEvent } from '../../audit/event.ts';
import { type Driver, literal, part, type Row, type Statement, sql } from '../driver.ts';
import { optionalText, present, text, whole } from '../row.ts';
import type { DueMail, OutboxMail, Store } from '../store.ts';

/** How many of a bundle become one mail; what is left makes the next one. */
const MAX_BUNDLE = 50;

type MailRow = {
  tenant: string;
  id: string;
  kind: string;
  locale: string | null;
  sealed: string;
  bundle: string | null;
  createdAt: number;
  dueAt: number;
  expiresAt: number;
};
const insertIfRecorded = sql<
  MailRow & { event: string; at: number }
>`insert into outbox (tenant, id, kind, locale, sealed, bundle, created_at, due_at, expires_at, attempts)
  select cast(${'tenant'} as text), cast(${'id'} as text), cast(${'kind'} as text), cast(${'locale'} as text), cast(${'sealed'} as text),
    cast(${'bundle'} as text), cast(${'createdAt'} as bigint), cast(${'dueAt'} as bigint), cast(${'expiresAt'} as bigint), 0
  where exists (select 1 from audit_events where tenant = ${'tenant'} and at = ${'at'} and id = ${'event'})`;

/** The mail of an event, written if the event was. Runs after the statement that records it. */
export function mailIfRecorded(tenant: string, { id, at, mail = [] }: AuditEvent): Statement[] {
  return mail.map((one) => insertIfRecorded({ ...mailRow(tenant, one), event: id, at }));
}

const columns = literal('id, kind, locale, sealed, bundle, created_at, due_at, expires_at');
type Claim = { tenant: string; now: number; limit: number };
const due = part<keyof Claim>`from outbox where tenant = ${'tenant'} and due_at <= ${'now'} and expires_at > ${'now'} order by due_at limit ${'limit'}`;
const bundled = part<keyof Claim>`select id from outbox where tenant = ${'tenant'} and attempts = 0 and expires_at > ${'now'}
  and bundle in (select bundle ${due}) limit ${literal(String(MAX_BUNDLE))}`;
// What makes a row free stands outside, too: of two nodes that chose the same row the second finds it taken. Attempts follow after 1, 4, 9, 16 … minutes.
const claim = sql<Claim>`update outbox set due_at = cast(${'now'} as bigint) + 60 * (attempts + 1) * (attempts + 1), attempts = attempts + 1
  where tenant = ${'tenant'} and (due_at <= ${'now'} or attempts = 0)
  and id in (select id from (select id ${due}) as due_rows union select id from (${bundled}) as bundled_rows)
  returning ${columns}`;

const settle = sql<{ tenant: string; id: string }>`delete from outbox where tenant = ${'tenant'} and id = ${'id'}`;

export function outboxTable(driver: Driver, tenant: string): Pick<Store, 'claimMail' | 'settleMail'> {
  return {
    async claimMail(now, limit) {
      const [claimed] = await driver.write([claim({ tenant, now, limit })]);
      return (claimed?.rows ?? []).map(dueOf);
    },
    async settleMail(ids) {
      await driver.write(ids.map((id) => settle({ tenant, id })));
    },
  };
}

function mailRow(tenant: string, mail: OutboxMail): MailRow {
  return { ...mail, tenant, locale: mail.locale ?? null, bundle: mail.bundle ?? null };
}

function dueOf(row: Row): DueMail {
  const dueAt = whole(row.due_at);
  const expiresAt = whole(row.expires_at);
  return present({
    id: text(row.id),
    kind: text(row.kind),
    locale: optionalText(row.locale),
    sealed: text(row.sealed),
    bundle: optionalText(row.bundle),
    createdAt: whole(row.created_at),
    dueAt,
    expiresAt,
    last: dueAt >= expiresAt,
  });
}
