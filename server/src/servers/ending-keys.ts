/**
 * API keys that end, for the sweep: 30, 7 and 1 day before the end of one that is in use, whichever node comes first records it, which webhooks hear of, logs it, and
 * tells whoever the server belongs to by mail. From that end on the MCP server cannot ask about tokens and refuses everybody. Not here: when a warning is due (storage/).
 */
import { type AuditEvent, auditEvent } from '../audit/event.ts';
import type { Context } from '../context.ts';
import { inDays } from '../rules/lasting-days.ts';
import type { EndingKey } from '../storage/store.ts';

/** Warnings of one round; what is left is for the next. */
const BATCH = 200;
/** Nobody misses a key that was not used for this long. */
export const keyInUseSeconds = 30 * 86_400;

/** Warns of what is due, and notes in `found` when the first key in use ends. Resolves to how many warnings this call gave. */
export async function warnOfEndingKeys(context: Context, found: { firstKeyEndsAt?: number }): Promise<number> {
  const { store, log } = context;
  const now = context.now();
  const usedSince = now - keyInUseSeconds;
  const first = await store.findFirstKeyEnd(usedSince);
  if (first !== undefined) found.firstKeyEndsAt = Math.min(first, found.firstKeyEndsAt ?? first);
  let warned = 0;
  for (const key of await store.listEndingKeys({ now, usedSince, limit: BATCH })) {
    const days = inDays(key.expiresAt - now);
    if (!(await store.warnOfKey(key.id, told(key, { now, days }, context)))) continue;
    log.warn('key.expiring', { server_id: key.serverId, key_id: key.id, days_left: days });
    warned++;
  }
  return warned;
}

function told({ id, serverId, serverName, name, expiresAt, owner }: EndingKey, { now, days }: { now: number; days: number }, { mail }: Context): AuditEvent {
  const event = auditEvent('key.expiring', now, 'system', { userId: owner.id, serverId, detail: { key_id: id, days_left: days } });
  if (owner.email === undefined) return event;
  const values = { key: id, name, serverId, server: serverName, expiresAt };
  return mail.with(event, { kind: 'key-expiring', to: owner.email, locale: owner.language, values });
}
