/**
 * Webhooks and their deliveries. What is due is claimed by one node until its next attempt. Not here: signing and sending (webhooks/).
 */
import { type Driver, literal, part, type Row, type Statement, sql } from '../driver.ts';
import { json, optionalText, optionalWhole, present, text, whole } from '../row.ts';
import type { Delivery, DeliveryState, Settlement, Store, Webhook } from '../store.ts';
import { eventColumns, eventIf, eventOf } from './audit-events.ts';

/** How long deliveries are kept for who looks after their webhook, in seconds. */
const KEPT_SECONDS = 30 * 86_400;
/** Seconds from each attempt to the next at least; the first is longer than an attempt may take, so that no two nodes make it. The last is 27 hours after the first. */
const PAUSES = [60, 300, 1800, 7200, 18_000, 36_000, 36_000];
const MAX_ATTEMPTS = PAUSES.length + 1;

type WebhookRow = {
  tenant: string;
  id: string;
  url: string;
  events: string;
  secretSealed: string;
  privateNetwork: number;
  createdAt: number;
  mark: string;
};
const columns = part`id, url, events, secret_sealed, older_secret_sealed, older_secret_expires_at, private_network, created_at, failing_since, rests_until, disabled_at`;
const add = sql<WebhookRow>`insert into webhooks (tenant, id, url, events, secret_sealed, private_network, created_at, last_event)
  values (${'tenant'}, ${'id'}, ${'url'}, ${'events'}, ${'secretSealed'}, ${'privateNetwork'}, ${'createdAt'}, ${'mark'})`;
type Key = { tenant: string; id: string };
const find = sql<Key>`select ${columns} from webhooks where tenant = ${'tenant'} and id = ${'id'}`;
const list = sql<{ tenant: string }>`select ${columns} from webhooks where tenant = ${'tenant'} order by created_at, id`;

type Marking = Key & { mark: string };
const mark = sql<Marking>`update webhooks set last_event = ${'mark'} where tenant = ${'tenant'} and id = ${'id'}`;
const marked = part<keyof Marking>`exists (select 1 from webhooks where tenant = ${'tenant'} and id = ${'id'} and last_event = ${'mark'})`;
const removeDeliveries = sql<Marking>`delete from webhook_deliveries where tenant = ${'tenant'} and webhook_id = ${'id'} and ${marked}`;
const remove = sql<Marking>`delete from webhooks where tenant = ${'tenant'} and id = ${'id'} and last_event = ${'mark'}`;
const disable = sql<Marking & { now: number; failingSince: number }>`update webhooks set disabled_at = ${'now'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'} and disabled_at is null and failing_since <= ${'failingSince'}`;
const giveUp = sql<Marking & { now: number }>`update webhook_deliveries set state = 'failed', due_at = null, finished_at = ${'now'}
  where tenant = ${'tenant'} and webhook_id = ${'id'} and state = 'waiting' and ${marked}`;
const enable = sql<Marking>`update webhooks set disabled_at = null, failing_since = null, rests_until = null, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'} and disabled_at is not null`;
type NewSecret = Marking & { secretSealed: string; olderExpiresAt: number | null; now: number };
const rotateSecret = sql<NewSecret>`update webhooks set secret_sealed = ${'secretSealed'},
  older_secret_sealed = case when cast(${'olderExpiresAt'} as bigint) is null then null else secret_sealed end,
  older_secret_expires_at = cast(${'olderExpiresAt'} as bigint), last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'}
  and (cast(${'olderExpiresAt'} as bigint) is null or older_secret_expires_at is null or older_secret_expires_at <= ${'now'})`;
const eventIfWebhook = eventIf('webhooks', 'id');

/** Deliveries of the events that were just sealed, for whoever wants to hear of them. `end` is the hash at which the chain then ends. */
export const deliverSealed = sql<{ tenant: string; after: number; seq: number; end: string; now: number }>`insert into webhook_deliveries
  (tenant, webhook_id, event_id, event_at, type, state, attempts, due_at, expires_at)
  select e.tenant, w.id, e.id, e.at, e.type, 'waiting', 0, case when w.rests_until > ${'now'} then w.rests_until else cast(${'now'} as bigint) end,
  cast(${'now'} as bigint) + ${literal(String(KEPT_SECONDS))}
  from webhooks w join audit_events e on e.tenant = w.tenant
  where w.tenant = ${'tenant'} and w.disabled_at is null and e.at >= w.created_at
  and e.seq is not null and e.seq > ${'after'} and e.seq <= ${'seq'}
  and (w.events = '["*"]' or replace(w.events, '"' || e.type || '"', '') <> w.events)
  and exists (select 1 from audit_chains where tenant = ${'tenant'} and hash = ${'end'})
  on conflict do nothing`;

const dueWebhooks = sql<{ tenant: string; now: number }>`select w.id as id from webhooks w where w.tenant = ${'tenant'}
  and exists (select 1 from webhook_deliveries d where d.tenant = w.tenant and d.webhook_id = w.id and d.due_at <= ${'now'})`;
type Claim = { tenant: string; webhookId: string; now: number; limit: number };
const isDue = part<keyof Claim>`tenant = ${'tenant'} and webhook_id = ${'webhookId'} and due_at <= ${'now'}`;
const pauses = PAUSES.map((pause, attempt) => `when ${attempt} then ${pause}`).join(' ');
// The condition stands twice: of two nodes that chose the same row the second finds it no longer due. After the last attempt nothing is due.
const claim = sql<Claim>`update webhook_deliveries set attempts = attempts + 1,
  due_at = cast(${'now'} as bigint) + case attempts ${literal(pauses)} else ${literal(String(PAUSES.at(-1)))} end
  where ${isDue} and event_id in (select event_id from webhook_deliveries where ${isDue} order by due_at limit ${'limit'})
  returning event_id, event_at, attempts, due_at`;
const findEvent = sql<{ tenant: string; at: number; id: string }>`select ${literal(eventColumns)} from audit_events
  where tenant = ${'tenant'} and at = ${'at'} and id = ${'id'}`;

type Attempt = { tenant: string; webhookId: string; eventId: string; state: string; answer: string; now: number; dueAt: number | null };
// What was given up meanwhile may have arrived all the same, but does not wait again.
const settle = sql<Attempt>`update webhook_deliveries set state = ${'state'}, answer = ${'answer'},
  due_at = case when ${'state'} = 'waiting' then coalesce(cast(${'dueAt'} as bigint), due_at) end,
  finished_at = case when ${'state'} <> 'waiting' then cast(${'now'} as bigint) end
  where tenant = ${'tenant'} and webhook_id = ${'webhookId'} and event_id = ${'eventId'} and (state = 'waiting' or ${'state'} <> 'waiting')`;
const restsUntil = part<'tenant' | 'webhookId'>`(select rests_until from webhooks where tenant = ${'tenant'} and id = ${'webhookId'})`;
const putOff = sql<{ tenant: string; webhookId: string }>`update webhook_deliveries set due_at = ${restsUntil}
  where tenant = ${'tenant'} and webhook_id = ${'webhookId'} and due_at < ${restsUntil}`;
const gotThrough = sql<Attempt>`update webhooks set failing_since = null where tenant = ${'tenant'} and id = ${'webhookId'} and failing_since is not null`;
// It changes the row whatever that says, so of settlements at once each waits here for the one before it, and not inside each other's deliveries. Of two rests the longer holds.
const didNot = sql<Attempt & { until: number | null }>`update webhooks set failing_since = coalesce(failing_since, ${'now'}),
  rests_until = case when rests_until is null or rests_until < cast(${'until'} as bigint) then coalesce(cast(${'until'} as bigint), rests_until) else rests_until end
  where tenant = ${'tenant'} and id = ${'webhookId'}`;

const deliveries = sql<{ tenant: string; webhookId: string; limit: number }>`select event_id, event_at, type, state, attempts, due_at, answer, finished_at
  from webhook_deliveries where tenant = ${'tenant'} and webhook_id = ${'webhookId'} order by event_at desc, event_id desc limit ${'limit'}`;
type Replay = { tenant: string; webhookId: string; eventId: string | null; now: number };
const replay = sql<Replay>`update webhook_deliveries set state = 'waiting', attempts = 0, due_at = ${'now'}, finished_at = null,
  expires_at = cast(${'now'} as bigint) + ${literal(String(KEPT_SECONDS))}
  where tenant = ${'tenant'} and webhook_id = ${'webhookId'}
  and (event_id = ${'eventId'} or (cast(${'eventId'} as text) is null and state = 'failed'))
  and exists (select 1 from webhooks where tenant = ${'tenant'} and id = ${'webhookId'} and disabled_at is null)`;

type Verbs =
  | 'addWebhook'
  | 'findWebhook'
  | 'listWebhooks'
  | 'removeWebhook'
  | 'disableWebhook'
  | 'enableWebhook'
  | 'rotateWebhookSecret'
  | 'listDueWebhooks'
  | 'claimDeliveries'
  | 'settleDelivery'
  | 'listDeliveries'
  | 'replayDeliveries';

export function webhooksTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  const findWebhook = async (id: string): Promise<Webhook | undefined> => {
    const [row] = await driver.read(find({ tenant, id }));
    return row && webhookOf(row);
  };
  return {
    async addWebhook(webhook, event) {
      await driver.write([add(webhookRow(tenant, webhook, event.id)), eventIfWebhook(tenant, webhook.id, event)]);
    },
    findWebhook,
    async listWebhooks() {
      return (await driver.read(list({ tenant }))).map(webhookOf);
    },
    async removeWebhook(id, event) {
      const key = { tenant, id, mark: event.id };
      const [found] = await driver.write([mark(key), eventIfWebhook(tenant, id, event), removeDeliveries(key), remove(key)]);
      return found?.changes === 1;
    },
    async disableWebhook({ id, failingSince }, event) {
      const key = { tenant, id, mark: event.id, now: event.at };
      const [disabled] = await driver.write([disable({ ...key, failingSince }), giveUp(key), eventIfWebhook(tenant, id, event)]);
      return disabled?.changes === 1;
    },
    async enableWebhook(id, event) {
      const [enabled] = await driver.write([enable({ tenant, id, mark: event.id }), eventIfWebhook(tenant, id, event)]);
      return enabled?.changes === 1;
    },
    async rotateWebhookSecret({ id, secretSealed, olderExpiresAt = null }, event) {
      const row = { tenant, id, mark: event.id, secretSealed, olderExpiresAt, now: event.at };
      const [rotated] = await driver.write([rotateSecret(row), eventIfWebhook(tenant, id, event)]);
      if (rotated?.changes === 1) return 'rotated';
      return (await driver.read(find({ tenant, id }))).length > 0 ? 'full' : 'gone';
    },
    async listDueWebhooks(now) {
      return (await driver.read(dueWebhooks({ tenant, now }))).map((row) => text(row.id));
    },
    async claimDeliveries({ webhookId, now, limit }) {
      const [claimed] = await driver.write([claim({ tenant, webhookId, now, limit })]);
      const rows = claimed?.rows ?? [];
      const webhook = rows.length === 0 ? undefined : await findWebhook(webhookId);
      const due = rows.map(async (row) => {
        const [event] = await driver.read(findEvent({ tenant, at: whole(row.event_at), id: text(row.event_id) }));
        const attempt = whole(row.attempts);
        const of = { eventId: text(row.event_id), event: event && eventOf(event) };
        return webhook && { webhook, ...of, attempt, dueAt: whole(row.due_at), last: attempt >= MAX_ATTEMPTS };
      });
      return (await Promise.all(due)).filter((one) => one !== undefined);
    },
    async settleDelivery(attempt) {
      await driver.write(settled(tenant, attempt));
    },
    async listDeliveries(webhookId, limit) {
      return (await driver.read(deliveries({ tenant, webhookId, limit }))).map(deliveryOf);
    },
    async replayDeliveries({ webhookId, eventId = null, now }) {
      const [replayed] = await driver.write([replay({ tenant, webhookId, eventId: eventId ?? null, now })]);
      return replayed?.changes ?? 0;
    },
  };
}

function settled(tenant: string, { dueAt, restsUntil, ...attempt }: Settlement): Statement[] {
  const row = { tenant, ...attempt, dueAt: dueAt ?? null };
  // The webhook before its deliveries: one lock order for all.
  if (attempt.state === 'delivered') return [gotThrough(row), settle(row)];
  return [didNot({ ...row, until: restsUntil ?? null }), settle(row), putOff({ tenant, webhookId: attempt.webhookId })];
}

function webhookRow(tenant: string, { id, url, events, secretSealed, privateNetwork, createdAt }: Webhook, mark: string): WebhookRow {
  return { tenant, id, url, events: JSON.stringify(events), secretSealed, privateNetwork: privateNetwork ? 1 : 0, createdAt, mark };
}

function webhookOf(row: Row): Webhook {
  return present({
    id: text(row.id),
    url: text(row.url),
    events: json<string[]>(row.events),
    secretSealed: text(row.secret_sealed),
    olderSecretSealed: optionalText(row.older_secret_sealed),
    olderSecretExpiresAt: optionalWhole(row.older_secret_expires_at),
    privateNetwork: whole(row.private_network) === 1,
    createdAt: whole(row.created_at),
    failingSince: optionalWhole(row.failing_since),
    restsUntil: optionalWhole(row.rests_until),
    disabledAt: optionalWhole(row.disabled_at),
  });
}

function deliveryOf(row: Row): Delivery {
  return present({
    eventId: text(row.event_id),
    eventAt: whole(row.event_at),
    type: text(row.type),
    // Only this file writes the column, and only with one of the three.
    state: text(row.state) as DeliveryState,
    attempts: whole(row.attempts),
    dueAt: optionalWhole(row.due_at),
    answer: optionalText(row.answer),
    finishedAt: optionalWhole(row.finished_at),
  });
}
