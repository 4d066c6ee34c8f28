/**
 * What a person is asked, in plain values for a page and for the receipt: who asks, for which servers, which scopes, for how long. The same for a redirect and for a
 * device. Pure but for the options. Not here: where the answer goes (consent.ts, device/).
 */
import { clientView } from '../account/client-view.ts';
import type { SignedIn } from '../account/session.ts';
import type { Context } from '../context.ts';
import { lastingDays } from '../rules/lasting-days.ts';
import type { Target } from '../servers/resource.ts';
import type { AskedAccess, Client, DeviceRequest } from '../storage/store.ts';
import type { AskedValues } from '../views/consent-page.ts';
import { scopeGroup } from '../views/describe-scope.ts';
import type { DurationChoice } from '../views/duration-choice.ts';
import { accessesOf } from './asked-for.ts';
import { durationChoice, sameDuration } from './duration.ts';
import type { ConsentSoFar } from './next-step.ts';
import { isRenewable } from './renewable.ts';
import { boxOf, choices } from './scopes.ts';
import { strictestLimit } from './together.ts';

/** A request with everybody it is about. */
export type Asked = { request: DeviceRequest; client: Client; targets: Targets; signedIn: SignedIn };
/** Of each resource that is asked for, in their order. */
export type Targets = readonly [Target, ...Target[]];
/** `optional` is what the boxes send. */
export type Question = { shown: AskedValues; optional: string[] };

/** Nothing was allowed before. */
export const unasked: ConsentSoFar = { allowed: [], reconnect: false };

/** The question; what `before` names need not be asked again. */
export async function questionOf({ request, client, targets, signedIn }: Asked, before: ConsentSoFar, context: Context): Promise<Question> {
  const [first, ...companions] = accessesOf(request);
  const [target] = targets;
  const own = partOf(first, target, before, context);
  const beside = companions.flatMap((access, index) => {
    const its = targets[index + 1];
    return its === undefined ? [] : [partOf(access, its, before, context, access.resource)];
  });
  const ignored = (request.ignoredScope ?? []).map((name) => ({ name, offered: false }));
  const { name, username, email } = signedIn.user;
  const shown: AskedValues = {
    client: await clientView(client, context),
    user: { name: name ?? username, email },
    server: own.server,
    scopes: [...own.scopes, ...ignored],
    ...(beside.length > 0 ? { beside: beside.map(({ server, scopes }) => ({ server, scopes })) } : {}),
    offline: isRenewable(request.scope, client, context),
    lasts: lastingDays(context.options),
    durations: durationsOf({ request, client, targets }, before, context),
  };
  return { shown, optional: [own, ...beside].flatMap(({ optional }) => optional) };
}

type Part = Pick<AskedValues, 'server' | 'scopes'> & { optional: string[] };

/** One server and what is asked of it. `companion`: its resource, unless it is the first. */
function partOf({ scope }: AskedAccess, target: Target, before: ConsentSoFar, { options }: Context, companion?: string): Part {
  const allowed = before.allowed.map(({ name }) => name);
  const optional = choices(scope, target, allowed);
  const scopes = scope.map((name) => ({
    ...(target.scopes.find((offered) => offered.name === name) ?? { name }),
    optional: optional.includes(name),
    box: boxOf(name, companion),
  }));
  return {
    server: { name: target.server?.name ?? options.serviceName, host: new URL(target.resource).host, resource: target.resource },
    scopes,
    optional: optional.map((name) => boxOf(name, companion)),
  };
}

/** Undefined where access ends with its first token anyway. A client that speaks for a server has no refresh token, but is used as long as this lasts. */
function durationsOf({ request, client, targets }: Omit<Asked, 'signedIn'>, before: ConsentSoFar, context: Context): DurationChoice | undefined {
  const { asBefore } = before;
  if (before.reconnect) return sameDuration(asBefore);
  if (!isRenewable(request.scope, client, context) && client.serverId === undefined) return undefined;
  const { refreshLifetimeSeconds: mostSeconds } = context.options;
  const bounds = { now: context.now(), limit: strictestLimit(targets), several: targets.length > 1, asBefore, mostSeconds };
  return durationChoice({ ...bounds, risky: isRisky(request, targets, before) });
}

function isRisky(request: DeviceRequest, targets: Targets, { allowed }: ConsentSoFar): boolean {
  const scopes = accessesOf(request).flatMap(({ scope }, index) =>
    scope.map((name) => targets[index]?.scopes.find((offered) => offered.name === name) ?? { name }),
  );
  const fresh = scopes.filter(({ name }) => !allowed.some((one) => one.name === name));
  return (fresh.length > 0 ? fresh : scopes).some((scope) => ['delete', 'admin'].includes(scopeGroup(scope)));
}
