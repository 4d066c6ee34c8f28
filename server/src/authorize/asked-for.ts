/**
 * What a request is about, wherever it comes in: the one resource and the scopes of it (RFC 8707 §2.1, AZ-16 … AZ-20). The same rules for /authorize and for devices.
 */
import type { Context } from '../context.ts';
import { OAuthError } from '../errors.ts';
import type { Parameters } from '../rules/parameters.ts';
import { findTarget } from '../servers/resource.ts';
import type { Client, DeviceRequest } from '../storage/store.ts';
import { wantedScope } from './scopes.ts';

/** @throws {OAuthError} invalid_target, invalid_scope or invalid_authorization_details. */
export async function askedFor(given: Parameters, client: Client, context: Context): Promise<DeviceRequest> {
  const target = await findTarget(given.all('resource'), client, context);
  const { scope, ignored } = wantedScope(given.get('scope'), client, target);
  // AZ-19: an unknown scope is dropped, one of another server is a confusion that would end in a surprise.
  if (ignored.length > 0 && (await context.store.isScopeOfAnother(ignored, target.resource)))
    throw new OAuthError('invalid_scope', 'A requested scope belongs to another resource');
  if (given.get('authorization_details') !== undefined) throw new OAuthError('invalid_authorization_details', 'authorization_details are not offered');
  return { scope, ignoredScope: ignored.length > 0 ? ignored : undefined, resource: target.resource, serverId: target.server?.id };
}
