/**
 * What a person is asked, in plain values for a page and for the receipt: who asks, for which server, which scopes, for how long. The same for a redirect and for a
 * device. Pure but for the options. Not here: where the answer goes (consent.ts, device/).
 */
import { clientView } from '../account/client-view.ts';
import type { SignedIn } from '../account/session.ts';
import type { Context } from '../context.ts';
import { lastingDays } from '../rules/lasting-days.ts';
import type { Target } from '../servers/resource.ts';
import type { Client, DeviceRequest } from '../storage/store.ts';
import type { AskedValues } from '../views/consent-page.ts';
import { scopeGroup } from '../views/describe-scope.ts';
import type { DurationChoice } from '../views/duration-choice.ts';
import { durationChoice, sameDuration } from './duration.ts';
import type { ConsentSoFar } from './next-step.ts';
import { choices } from './scopes.ts';

/** A request with everybody it is about. */
export type Asked = { request: Pick<DeviceRequest, 'scope' | 'ignoredScope'>; client: Client; target: Target; signedIn: SignedIn };
/** `optional` are the scopes with a box. */
export type Question = { shown: AskedValues; optional: string[] };

/** Nothing was allowed before. */
export const unasked: ConsentSoFar = { allowed: [], reconnect: false };

/** The question; what `before` names need not be asked again. */
export async function questionOf({ request, client, target, signedIn }: Asked, before: ConsentSoFar, context: Context): Promise<Question> {
  const allowed = before.allowed.map(({ name }) => name);
  const optional = choices(request.scope, target, allowed);
  const offered = request.scope.map((name) => ({ ...(target.scopes.find((scope) => scope.name === name) ?? { name }), optional: optional.includes(name) }));
  const ignored = (request.ignoredScope ?? []).map((name) => ({ name, offered: false }));
  const { name, username, email } = signedIn.user;
  const shown: AskedValues = {
    client: await clientView(client, context),
    user: { name: name ?? username, email },
    server: { name: target.server?.name ?? context.options.serviceName, host: new URL(target.resource).host, resource: target.resource },
    scopes: [...offered, ...ignored],
    offline: isRenewable(request.scope, client, context),
    lasts: lastingDays(context.options),
    durations: durationsOf({ request, client, target }, before, context),
  };
  return { shown, optional };
}

/** Undefined where access ends with its first token anyway. A client that speaks for a server has no refresh token, but is used as long as this lasts. */
function durationsOf({ request, client, target }: Omit<Asked, 'signedIn'>, before: ConsentSoFar, context: Context): DurationChoice | undefined {
  const { asBefore } = before;
  if (before.reconnect) return sameDuration(asBefore);
  if (!isRenewable(request.scope, client, context) && client.serverId === undefined) return undefined;
  const fresh = request.scope.filter((name) => !before.allowed.some((allowed) => allowed.name === name));
  const asked = (fresh.length > 0 ? fresh : request.scope).map((name) => target.scopes.find((scope) => scope.name === name) ?? { name });
  const risky = asked.some((scope) => ['delete', 'admin'].includes(scopeGroup(scope)));
  const { refreshLifetimeSeconds: mostSeconds } = context.options;
  return durationChoice({ now: context.now(), risky, limit: target.server?.maxDuration, asBefore, mostSeconds });
}

/** Whether the token endpoint will issue a refresh token for this. */
function isRenewable(scope: readonly string[], client: Client, { options }: Context): boolean {
  return client.metadata.grantTypes.includes('refresh_token') && (options.refreshTokens === 'always' || scope.includes('offline_access'));
}
