/**
 * Access that ends by itself, for the sweep: what nobody used for the operator's time, what lasted as long as anything does here, and what a person chose to end. Each
 * grant ends once, whichever node does it, with an event that says why; of disuse its person is told. Not here: when that is (token/refresh-family.ts), SQL.
 */
import { type AuditEvent, auditEvent } from '../audit/event.ts';
import type { Context } from '../context.ts';
import { inDays } from '../rules/lasting-days.ts';
import type { OverGrant } from '../storage/store.ts';
import { knownClientView } from './client-view.ts';

/** Grants of one round; what is left is for the next. */
const BATCH = 200;

/** Why a grant ended: nobody used it, nothing lasts longer, or the person chose this end. */
type Lapse = { reason: 'unused' | 'longest' | 'chosen'; days: number };

/** Ends what is over. Resolves to how many grants this call ended. */
export async function lapseOver(context: Context): Promise<number> {
  const { store } = context;
  const now = context.now();
  const lifetime = context.options.refreshLifetimeSeconds;
  let ended = 0;
  for (let since = 0; ; ) {
    const over = await store.listOverGrants({ since, now, limit: BATCH, lifetime });
    const before = ended;
    for (const grant of over) if (await store.lapseGrant(grant.id, lapseOf(grant).reason, await told(grant, now, context))) ended++;
    // A round that ended nothing would list the same again.
    if (over.length < BATCH || ended === before) return ended;
    since = over.at(-1)?.idleExpiresAt ?? since;
  }
}

function lapseOf({ createdAt, expiresAt, rotatedAt, idleExpiresAt, familyExpiresAt }: OverGrant): Lapse {
  if (idleExpiresAt < familyExpiresAt) return { reason: 'unused', days: inDays(idleExpiresAt - rotatedAt) };
  return { reason: expiresAt === undefined ? 'longest' : 'chosen', days: inDays(familyExpiresAt - createdAt) };
}

/** An agent that was connected anew keeps what it has: the end of an older grant is recorded, and no news. */
async function told(grant: OverGrant, now: number, context: Context): Promise<AuditEvent> {
  const { id: grantId, clientId, serverId, user, staysConnected, serverName } = grant;
  const lapse = lapseOf(grant);
  const event = auditEvent('grant.lapsed', now, 'system', { userId: user.id, clientId, serverId, grantId, detail: { ...lapse, staysConnected } });
  if (lapse.reason !== 'unused' || staysConnected) return event;
  const client = (await knownClientView(clientId, context)) ?? { name: '', tier: 'dynamic' };
  const server = serverName ?? context.options.serviceName;
  return context.mail.notify(event, { user, kind: 'access-lapsed', about: { client, server, path: '/account/agents', days: lapse.days } });
}
