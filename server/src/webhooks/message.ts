/**
 * What a webhook says about an event, and the request that carries it (Standard Webhooks 1.0). Pure: the same event makes the same body at every attempt.
 */
import type { AuditEvent } from '../audit/event.ts';
import { signWebhook } from '../crypto/webhook-signature.ts';

export type Message = { id: string; body: string };

/** The event in wire names. Audit events never hold tokens, codes or secrets, so neither does this. */
export function messageOf(event: AuditEvent, issuer: string): Message {
  const { id, at, type, actor, userId, clientId, serverId, grantId, address, requestId, detail } = event;
  const about = { user_id: userId, client_id: clientId, server_id: serverId, grant_id: grantId, address, request_id: requestId, detail };
  const body = JSON.stringify({ type, timestamp: new Date(at * 1000).toISOString().replace('.000Z', 'Z'), data: { id, issuer, actor, ...about } });
  // Signed ids hold no full stop; those of events that one act told many people do.
  return { id: id.replaceAll('.', '-'), body };
}

/** The headers of one attempt. "In order to support zero downtime secret rotation" there is a signature for each secret that a receiver may have. */
export function headersOf({ id, body }: Message, secrets: readonly string[], timestamp: number): Record<string, string> {
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': secrets.map((secret) => signWebhook(secret, { id, timestamp, body })).join(' '),
  };
}
