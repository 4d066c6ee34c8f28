/**
 * What must hold for several resources in one request. A code gives one token and a token is for one resource, so the others are reached with the refresh token only.
 * Pure but for the options. Not here: finding the resources (servers/resource.ts), which grant a token is under (token/grants/).
 */
import type { Context } from '../context.ts';
import { OAuthError } from '../errors.ts';
import type { Target } from '../servers/resource.ts';
import type { Client, MaxDuration } from '../storage/store.ts';
import { isRenewable } from './renewable.ts';

type Together = { scope: readonly string[]; client: Client; targets: readonly Target[] };

/** Says nothing about a single resource. @throws {OAuthError} invalid_target */
export function checkTogether({ scope, client, targets }: Together, context: Context): void {
  if (targets.length < 2) return;
  // A client that speaks for a server has no tokens of its own: what it is allowed counts when it exchanges those of others.
  if (client.serverId === undefined && !isRenewable(scope, client, context))
    throw new OAuthError('invalid_target', 'Several resources need a refresh token, because a token is for one of them');
  if (strictestLimit(targets) === 'once') throw new OAuthError('invalid_target', 'One of the resources gives access only once at a time: ask for it alone');
}

const limits: readonly MaxDuration[] = ['once', '8_hours', '30_days'];

/** The shortest of what the owners of the servers allow: one decision is about all of them. */
export function strictestLimit(targets: readonly Target[]): MaxDuration | undefined {
  return limits.find((limit) => targets.some(({ server }) => server?.maxDuration === limit));
}
