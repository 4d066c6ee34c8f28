/**
 * Signatures of webhooks (Standard Webhooks 1.0, "Signature scheme"): HMAC-SHA-256 over id, time of the attempt and body, with a secret that receiver and sender share.
 */
import { createHmac } from 'node:crypto';
import { randomId } from './random.ts';

/** A secret of 32 bytes, as receivers are given it: `whsec_` and base64. */
export function newWebhookSecret(): string {
  return `whsec_${Buffer.from(randomId('', 32), 'base64url').toString('base64')}`;
}

/** "The content to be signed is therefore: {msg_id}.{timestamp}.{payload}." The id holds no full stop, or two messages could be signed alike. */
export function signWebhook(secret: string, { id, timestamp, body }: { id: string; timestamp: number; body: string }): string {
  if (id.includes('.')) throw new TypeError('the id of a webhook must not contain a full stop');
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}
