/**
 * Whether the token endpoint will issue a refresh token for what a person allows. Pure. Not here: issuing it (token/refresh-family.ts).
 */
import type { Context } from '../context.ts';
import type { Client } from '../storage/store.ts';

export function isRenewable(scope: readonly string[], { metadata }: Client, { options }: Context): boolean {
  return metadata.grantTypes.includes('refresh_token') && (options.refreshTokens === 'always' || scope.includes('offline_access'));
}
