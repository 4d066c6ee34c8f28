/**
 * What a yes makes: one grant for each resource, each with its receipt and its event, so that people see, pause, reduce and disconnect server by server. The first is what
 * code and refresh family hang from, and what the others know it by. Not here: writing them (decision.ts, device/decision.ts).
 */
import { type AuditEvent, auditEvent } from '../audit/event.ts';
import type { Exchange } from '../context.ts';
import { randomIdAt } from '../crypto/random.ts';
import type { AskedAccess, Companion, Grant } from '../storage/store.ts';
import { type Access, type Place, withAccessNotice } from './access-notice.ts';
import { consentRecord } from './receipt.ts';

/** What is allowed at one resource, and what the person saw. */
export type AllowedAccess = { access: AskedAccess; receipt: string };
export type AllowedAccesses = readonly [AllowedAccess, ...AllowedAccess[]];

/** `common`: what the grants have in common. `who`: whom the person is told about. `detail`: what the event of each says beside its scope. */
export type Approval = {
  allowed: AllowedAccesses;
  common: Omit<Grant, 'id' | 'userId' | 'serverId' | 'resource' | 'scope' | 'approvedWith' | 'lastUsedAt'>;
  who: Pick<Access, 'user' | 'client'>;
  detail: Record<string, string | boolean>;
};

/** The first grant with what belongs to it, and those of further resources. */
export async function approvalOf({ allowed, common, who, detail }: Approval, place: Place): Promise<Made & { companions: Companion[] }> {
  const [first, ...more] = allowed;
  const newId = () => randomIdAt('grant_', common.createdAt, 6);
  const id = newId();
  const together = more.length > 0 ? { approvedWith: id } : {};
  const make = async ({ access, receipt }: AllowedAccess, grantId: string): Promise<Made> => {
    const { scope, resource, serverId } = access;
    const grant: Grant = { ...common, id: grantId, userId: who.user.id, serverId, resource, scope, lastUsedAt: common.createdAt, ...together };
    const event = await withAccessNotice(approved(grant, detail, place.exchange), { ...who, clientId: grant.clientId, resource, scope }, place);
    return { grant, receipt: consentRecord(receipt, place.exchange), event };
  };
  return { ...(await make(first, id)), companions: await Promise.all(more.map((each) => make(each, newId()))) };
}

type Made = Required<Companion>;

function approved({ id, userId, clientId, serverId, scope, createdAt }: Grant, detail: Approval['detail'], { address, requestId }: Exchange): AuditEvent {
  return auditEvent('grant.approved', createdAt, `user:${userId}`, {
    userId,
    clientId,
    serverId,
    address,
    requestId,
    grantId: id,
    detail: { scope, ...detail },
  });
}
