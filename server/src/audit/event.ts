/**
 * What happened: the one vocabulary of security events. An event is a value; the store writes it in the same commit as the change it records, so there is
 * no change without its event and no event without its change. Events never carry tokens, codes, secrets or their hashes.
 */
import { randomId } from '../crypto/random.ts';
import type { OutboxMail } from '../storage/store.ts';

export const eventTypes = [
  'user.added',
  'user.password_changed',
  'user.password_removed',
  'user.disabled',
  'user.enabled',
  'user.removed',
  'user.renamed',
  'user.email_change_asked',
  'user.email_changed',
  'user.signed_in',
  'user.sign_in_failed',
  'user.signed_out',
  'user.signed_out_everywhere',
  'passkey.added',
  'passkey.renamed',
  'passkey.removed',
  'passkey.counter_went_back',
  'user.invited',
  'user.signed_up',
  'user.code_requested',
  'user.reset_link_created',
  'user.password_reset',
  'second_factor.added',
  'second_factor.removed',
  'second_factor.reset',
  'second_factor.failed',
  'recovery_code.used',
  'recovery_codes.replaced',
  'setup.completed',
  'owner_token.created',
  'owner_token.revoked',
  'server.added',
  'server.updated',
  'server.removed',
  'server.person_added',
  'server.person_removed',
  'access.requested',
  'access.approved',
  'access.denied',
  'key.created',
  'key.revoked',
  'key.expiring',
  'client.registered',
  'client.grants_changed',
  'client.keys_changed',
  'client.secret_added',
  'client.secret_ended',
  'client.replaced',
  'client.approved',
  'client.removed',
  'registration_token.created',
  'registration_token.revoked',
  'grant.approved',
  'grant.denied',
  'grant.hand_off_extended',
  'grant.revoked',
  'grant.lapsed',
  'grant.paused',
  'grant.resumed',
  'grant.reduced',
  'grant.machine_approved',
  'grant.delegated',
  'device.wrong_code',
  'grant.asserted',
  'issuer.trusted',
  'issuer.removed',
  'identity.linked',
  'identity.unlinked',
  'identity.provisioned',
  'workload.added',
  'workload.removed',
  'assertion_target.added',
  'assertion_target.removed',
  'assertion.issued',
  'upstream.added',
  'upstream.credential_changed',
  'upstream.removed',
  'upstream.linked',
  'upstream.unlinked',
  'upstream.signed_up',
  'code.replayed',
  'refresh_token.reused',
  'token.revoked',
  'signing_key.added',
  'signing_key.dropped',
  'audit.retired',
  'audit.adopted',
  'database.restored',
  'tenant.added',
  'tenant.changed',
  'tenant.removed',
  'webhook.added',
  'webhook.removed',
  'webhook.tested',
  'webhook.disabled',
  'webhook.enabled',
  'webhook.secret_rotated',
] as const;
export type EventType = (typeof eventTypes)[number];

export type AuditEvent = {
  id: string;
  /** Seconds since the epoch. */
  at: number;
  type: EventType;
  /** Who did it: `user:usr_…`, `client:…`, `key:sk_…`, `system`, `cli`. */
  actor: string;
  userId?: string;
  clientId?: string;
  serverId?: string;
  grantId?: string;
  address?: string;
  requestId?: string;
  detail?: Record<string, string | number | boolean | string[]>;
  /** Mail that tells about it: written with it, or not at all. No part of the record. */
  mail?: readonly OutboxMail[];
};

/** Ids of one process ascend, so that the events of a second are told in order and the index grows at its end; the rest is random and keeps processes apart. */
let made = 0;
const nextId = () => randomId(`evt_${(made++).toString(36).padStart(7, '0')}`, 9);

/** Makes an event; its id doubles as the mark by which the statements of one commit know each other. */
export function auditEvent(type: EventType, at: number, actor: string, about: Omit<AuditEvent, 'id' | 'at' | 'type' | 'actor'> = {}): AuditEvent {
  return { id: nextId(), at, type, actor, ...about };
}
