/**
 * When the person is told by mail that an agent may act for them: the first time it may at a resource, and when it may change, delete or administer more than before.
 * The mail is written with the approval or not at all. Not here: what the mail says (views/mail/notice.ts).
 */
import type { AuditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { targetOf } from '../servers/resource.ts';
import type { AllowedScope, ServerScope, User } from '../storage/store.ts';
import type { ClientView } from '../views/client-identity.ts';
import { scopeGroup } from '../views/describe-scope.ts';

export type Access = { user: User; clientId: string; client: ClientView; resource: string; scope: readonly string[] };
export type Place = { exchange: Exchange; context: Context };

/** The event of an approval, with the notice it deserves. Asks the store only where there is somebody to tell. */
export async function withAccessNotice(
  event: AuditEvent,
  { user, clientId, client, resource, scope }: Access,
  { exchange, context }: Place,
): Promise<AuditEvent> {
  if (!context.mail.on || user.email === undefined) return event;
  const [target, allowed] = await Promise.all([
    targetOf(resource, context),
    context.store.allowedScopes({ userId: user.id, clientId, resource }, context.now()),
  ]);
  const kind = allowed.length === 0 ? 'agent-connected' : isMorePower(scope, allowed, target?.scopes ?? []) ? 'more-access' : undefined;
  if (!kind) return event;
  const about = { client, server: target?.server?.name ?? context.options.serviceName, path: `/account/agents/pause?grant=${event.grantId}` };
  return context.mail.notify(event, { kind, user, about }, exchange);
}

/** More to see is no news; more to change is. */
function isMorePower(scope: readonly string[], allowed: readonly AllowedScope[], offered: readonly ServerScope[]): boolean {
  const fresh = scope.filter((name) => !allowed.some((one) => one.name === name));
  return fresh.some((name) => ['change', 'delete', 'admin'].includes(scopeGroup(offered.find((one) => one.name === name) ?? { name })));
}
