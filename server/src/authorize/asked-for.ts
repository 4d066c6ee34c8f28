/**
 * What a request is about, wherever it comes in: the resources and the scopes of each (RFC 8707 §2.1, AZ-16 … AZ-20). The same rules for /authorize and for devices.
 */
import type { Context } from '../context.ts';
import { OAuthError } from '../errors.ts';
import type { Parameters } from '../rules/parameters.ts';
import { checkTokenFits } from '../rules/token-size.ts';
import { findTargets } from '../servers/resource.ts';
import type { AskedAccess, Client, DeviceRequest } from '../storage/store.ts';
import { wantedScopes } from './scopes.ts';
import { checkTogether } from './together.ts';

/** Scopes that nobody offers, of which a request keeps so many to tell the person: it is theirs to read, and a stranger's to fill. */
const mostIgnored = 10;

/** @throws {OAuthError} invalid_target, invalid_scope or invalid_authorization_details. */
export async function askedFor(given: Parameters, client: Client, context: Context): Promise<DeviceRequest> {
  const targets = await findTargets(given.all('resource'), client, context);
  const [target, ...others] = targets;
  const { scopes, ignored } = wantedScopes(given.get('scope'), client, targets);
  // AZ-19: an unknown scope is dropped, one of another server is a confusion that would end in a surprise.
  if (ignored.length > 0 && (await context.store.isScopeOfAnother(ignored, target.resource)))
    throw new OAuthError('invalid_scope', 'A requested scope belongs to another resource');
  if (given.get('authorization_details') !== undefined) throw new OAuthError('invalid_authorization_details', 'authorization_details are not offered');
  for (const [index, { resource }] of targets.entries()) checkTokenFits({ issuer: context.issuer, clientId: client.id, resource, scope: scopes[index] ?? [] });
  const [scope = [], ...companionScopes] = scopes;
  checkTogether({ scope, client, targets }, context);
  const companions = others.map(({ resource, server }, index) => ({ scope: companionScopes[index] ?? [], resource, serverId: server?.id }));
  return {
    scope,
    ignoredScope: ignored.length > 0 ? ignored.slice(0, mostIgnored) : undefined,
    resource: target.resource,
    serverId: target.server?.id,
    ...(companions.length > 0 ? { companions } : {}),
  };
}

/** What is asked of each resource, in the order in which they were named. */
export function accessesOf({ scope, resource, serverId, companions = [] }: DeviceRequest): [AskedAccess, ...AskedAccess[]] {
  return [{ scope, resource, serverId }, ...companions];
}
