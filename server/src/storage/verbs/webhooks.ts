/**
 * Webhooks: who is told of which events, and what waits to be delivered. A delivery is written when its event is sealed (audit-chain.ts, `sealEvents`), in that commit.
 * Part of the store; signing and sending are webhooks/.
 */
import type { AuditEvent } from '../../audit/event.ts';

export type Webhook = {
  id: string;
  url: string;
  /** Types of events; `*` alone for all of them. */
  events: readonly string[];
  secretSealed: string;
  /** The one before, which signs beside it until `olderSecretExpiresAt`. */
  olderSecretSealed?: string;
  olderSecretExpiresAt?: number;
  /** It may have an address that is not public. */
  privateNetwork: boolean;
  createdAt: number;
  /** Since when nothing got through. */
  failingSince?: number;
  /** Until when its receiver asked to be left alone: what happens until then waits. */
  restsUntil?: number;
  disabledAt?: number;
};

/** `failed`: nobody tries any more, unless it is replayed. */
export type DeliveryState = 'waiting' | 'delivered' | 'failed';
/** `answer` is what the last attempt met: a status, or why there was none. */
export type Delivery = {
  eventId: string;
  eventAt: number;
  type: string;
  state: DeliveryState;
  attempts: number;
  dueAt?: number;
  answer?: string;
  finishedAt?: number;
};
/** A delivery that is this caller's until `dueAt`. `event` is absent when retention deleted it. `attempt` counts from 1. `last`: nobody will try again. */
export type DueDelivery = { webhook: Webhook; eventId: string; event?: AuditEvent; attempt: number; dueAt: number; last: boolean };
/** How an attempt ended. A delivery that waits is due again at `dueAt`, or where it was; with `restsUntil`, unless it was delivered, nothing of its webhook is due before. */
export type Settlement = { webhookId: string; eventId: string; state: DeliveryState; answer: string; now: number; dueAt?: number; restsUntil?: number };
/** `full`: the one before the last still signs. */
export type SecretRotation = 'rotated' | 'full' | 'gone';

export type WebhookVerbs = {
  addWebhook(webhook: Webhook, event: AuditEvent): Promise<void>;
  findWebhook(id: string): Promise<Webhook | undefined>;
  listWebhooks(): Promise<Webhook[]>;
  /** Forgets its deliveries, too. */
  removeWebhook(id: string, event: AuditEvent): Promise<boolean>;
  /** Stops an enabled webhook that has been failing since `failingSince` or longer, and gives up what waits for it. */
  disableWebhook(webhook: { id: string; failingSince: number }, event: AuditEvent): Promise<boolean>;
  /** Lets a disabled webhook hear of what happens from now on. */
  enableWebhook(id: string, event: AuditEvent): Promise<boolean>;
  /**
   * Gives a webhook a newer secret. The one it had signs beside it until `olderExpiresAt`, unless another older one still does; without `olderExpiresAt` no other
   * signs any more.
   */
  rotateWebhookSecret(secret: { id: string; secretSealed: string; olderExpiresAt?: number }, event: AuditEvent): Promise<SecretRotation>;
  /** Ids of the webhooks for which a delivery is due. */
  listDueWebhooks(now: number): Promise<string[]>;
  /** Takes up to `limit` deliveries of this webhook that are due: whoever is slow to answer holds up nobody else's. */
  claimDeliveries(claim: { webhookId: string; now: number; limit: number }): Promise<DueDelivery[]>;
  settleDelivery(attempt: Settlement): Promise<void>;
  /** The newest first. */
  listDeliveries(webhookId: string, limit: number): Promise<Delivery[]>;
  /** Makes deliveries due again: the one of this event, or all that failed. Resolves to how many. */
  replayDeliveries(replay: { webhookId: string; eventId?: string; now: number }): Promise<number>;
};
