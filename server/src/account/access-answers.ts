/**
 * What the people who run a server answer to somebody who asked for access: yes puts them on the list, and either way they are told. For the command line.
 */
import { auditEvent } from '../audit/event.ts';
import type { Context } from '../context.ts';
import type { AccessDecision, AccessQuestion } from '../storage/store.ts';

/** After a no, the same person may ask about the same server again after this long. */
const deniedSeconds = 30 * 86_400;

/** Answers an open question, once. False when it was answered, or is over. */
export async function answerAccess(asked: AccessQuestion, decision: AccessDecision, context: Context): Promise<boolean> {
  const now = context.now();
  const { id, serverId, userId, serverName } = asked;
  const event = auditEvent(decision === 'approved' ? 'access.approved' : 'access.denied', now, 'cli', { userId, serverId });
  const user = await context.store.findUser(userId);
  const kind = decision === 'approved' ? 'access-approved' : 'access-denied';
  const told = user?.email === undefined ? event : context.mail.with(event, { kind, to: user.email, locale: user.language, values: { server: serverName } });
  return context.store.decideAccess({ id, decision, keptUntil: now + deniedSeconds }, told);
}
