/**
 * How audit events hold on to each other: each is hashed together with the hash of the one before, so nothing sealed can be changed, removed, added or moved unnoticed.
 * Address and detail go in as a salted hash of their own: they can be forgotten with their person, and the chain stays whole. Pure; who seals is in seal.ts.
 */
import { equalSecrets, sha256 } from '../crypto/hash.ts';
import type { InstanceKeys } from '../crypto/instance-keys.ts';
import type { AuditChain, SealedEvent } from '../storage/store.ts';
import type { AuditEvent } from './event.ts';

/** A chain that holds nothing yet. */
export const emptyChain: AuditChain = { seq: 0, hash: '', mac: '', sealedAt: 0, anchorSeq: 0, anchorHash: '' };

/** Commits to what may be forgotten. Without the salt, which is forgotten too, nobody can try out addresses. */
export function privateHashOf(salt: string, { address, detail }: Pick<AuditEvent, 'address' | 'detail'>): string {
  return sha256(JSON.stringify(['auth-agent audit private 1', salt, address ?? null, detail === undefined ? null : JSON.stringify(detail)]));
}

/** The hash of an event at its place: of everything it says, its place, its tenant, and the hash before. */
export function hashOf(tenant: string, before: string, event: AuditEvent & Pick<SealedEvent, 'seq' | 'privateHash'>): string {
  const { seq, at, id, type, actor, userId, clientId, serverId, grantId, requestId, privateHash } = event;
  const about = [userId, clientId, serverId, grantId, requestId].map((one) => one ?? null);
  return sha256(JSON.stringify(['auth-agent audit 1', tenant, seq, before, at, id, type, actor, ...about, privateHash]));
}

type Ends = Pick<AuditChain, 'seq' | 'hash' | 'anchorSeq' | 'anchorHash'>;

/** What only a server with the instance secret can say about where a chain ends, and where it begins once retention has deleted from it. */
export function endMac(instance: InstanceKeys, tenant: string, { seq, hash, anchorSeq, anchorHash }: Ends): string {
  return instance.mac('audit chain', tenant, String(seq), hash, ...(anchorSeq === 0 ? [] : [String(anchorSeq), anchorHash]));
}

/** Whether a server with this secret wrote it. An empty chain nobody has to have written. */
export function isOurs(instance: InstanceKeys, tenant: string, chain: AuditChain): boolean {
  return chain.seq === 0 || equalSecrets(endMac(instance, tenant, chain), chain.mac);
}
