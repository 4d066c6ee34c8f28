/**
 * Delivers events to webhooks: each attempt is signed anew, under the guard of every fetch that an operator asked for. 2xx is success, 410 the receiver's wish to hear
 * nothing more, everything else is tried again for about a day. Never in anybody's way. Not here: when (schedule.ts, storage/tables/webhooks.ts), the message (message.ts).
 */
import { auditEvent } from '../audit/event.ts';
import { sealEvents } from '../audit/seal.ts';
import { FetchFailure } from '../clients/fetch-failure.ts';
import type { Context } from '../context.ts';
import { drain, type GoesOn, type Relay, relay } from '../relay.ts';
import type { DueDelivery, Webhook } from '../storage/store.ts';
import { headersOf, type Message, messageOf } from './message.ts';
import { restOf, spread } from './schedule.ts';

type Place = Pick<Context, 'options' | 'issuer' | 'store' | 'instance' | 'now' | 'log'>;

export type Webhooks = {
  /** Every fifth time, seals what happened and delivers what is due, in the background; for the clock of the runtime, about once a second. */
  tick(): void;
} & Pick<Relay, 'soon' | 'idle' | 'end'>;

/** At once to one receiver. */
const batch = 10;
/** Often enough that what is sealed at once stays little: a minute's events of a busy node would take seconds. */
const ticks = 5;
/** A webhook that gives up an event, and has taken none for this long, is disabled. */
const patienceSeconds = 5 * 86_400;

/** The webhooks of one tenant. */
export function webhooksOf(place: Place): Webhooks {
  const failed = (cause: unknown) => place.log.error('webhook.not_delivered', {}, cause);
  // Each receiver has a relay of its own: one that hangs holds up neither the others nor the look for what is new.
  const lanes = new Map<string, Relay>();
  const laneOf = (webhookId: string): Relay => {
    const lane = lanes.get(webhookId) ?? relay((goesOn) => deliverDue(webhookId, { place, goesOn }), failed, place.options);
    lanes.set(webhookId, lane);
    return lane;
  };
  const look = relay(
    async (goesOn) => {
      const due = await sealAndLook(place);
      for (const webhookId of goesOn() ? due : []) laneOf(webhookId).soon();
      return due.length;
    },
    failed,
    place.options,
  );
  let ticked = 0;
  return {
    soon: look.soon,
    async idle() {
      await look.idle();
      await Promise.all([...lanes.values()].map((lane) => lane.idle()));
    },
    async end() {
      await Promise.all([look, ...lanes.values()].map((one) => one.end()));
    },
    tick() {
      if (ticked++ % ticks === 0) look.soon();
    },
  };
}

/** Seals what happened, and finds for whom something is due: an event is delivered once it has its place in the record. */
async function sealAndLook(place: Place): Promise<string[]> {
  const { store, now, log, options } = place;
  await sealEvents(place).catch((cause: unknown) => log.error('audit.seal_failed', {}, cause));
  return options.fetchUpstream ? store.listDueWebhooks(now()) : [];
}

function deliverDue(webhookId: string, { place, goesOn }: { place: Place; goesOn: GoesOn }): Promise<number> {
  const { store, now } = place;
  return drain({
    batch,
    goesOn,
    claim: (limit) => store.claimDeliveries({ webhookId, now: now(), limit }),
    handOver: (due) => Promise.all(due.map((one) => attempt(one, place))),
  });
}

async function attempt(due: DueDelivery, place: Place): Promise<void> {
  const { webhook, eventId, event, last } = due;
  const { store, now, log, issuer } = place;
  const dueAt = spread(due, now());
  const { answer, retryAfter = null } = event ? await send(webhook, messageOf(event, issuer), place) : { answer: 'the event is no longer kept' };
  const delivered = /^2\d\d$/.test(answer);
  const state = delivered ? 'delivered' : last || answer === '410' || !event ? 'failed' : 'waiting';
  await store.settleDelivery({ webhookId: webhook.id, eventId, state, answer, now: now(), dueAt, restsUntil: restOf(retryAfter, now()) });
  log.info('webhook.attempted', { webhook: webhook.id, event_id: eventId, answer, state });
  if (answer === '410') return disable(webhook, now(), answer, place);
  if (last && !delivered) await disable(webhook, now() - patienceSeconds, answer, place);
}

async function disable({ id, url }: Webhook, failingSince: number, answer: string, { store, now, log }: Place): Promise<void> {
  // The address may hold a secret of the receiver; its host is enough to know it by.
  const event = auditEvent('webhook.disabled', now(), 'system', { detail: { webhook: id, host: new URL(url).host, answer } });
  if (await store.disableWebhook({ id, failingSince }, event)) log.warn('webhook.disabled', { webhook: id, answer });
}

/** The status, or why there was none; and when the receiver wants to be asked again, in its own words. */
export type Answer = { answer: string; retryAfter?: string | null };

/** Makes one attempt, signed at this moment. */
export async function send(webhook: Webhook, message: Message, { options: { fetchUpstream }, instance, now }: Place): Promise<Answer> {
  if (!fetchUpstream) return { answer: 'this server cannot send' };
  const secrets = secretsOf(webhook, now()).map((sealed) => instance.open(secretPurpose(webhook.id), sealed));
  const request = { method: 'POST', headers: headersOf(message, secrets, now()), body: message.body, privateNetwork: webhook.privateNetwork };
  try {
    const response = await fetchUpstream(webhook.url, request);
    await response.body?.cancel();
    return { answer: String(response.status), retryAfter: response.headers.get('retry-after') };
  } catch (error) {
    return { answer: error instanceof FetchFailure ? error.kind : 'transport' };
  }
}

/** Those that sign, sealed; the newest first. */
function secretsOf({ secretSealed, olderSecretSealed, olderSecretExpiresAt = 0 }: Webhook, now: number): string[] {
  return olderSecretSealed === undefined || olderSecretExpiresAt <= now ? [secretSealed] : [secretSealed, olderSecretSealed];
}

/** What a webhook's secret is sealed for. */
export const secretPurpose = (webhookId: string): string => `webhook ${webhookId}`;
