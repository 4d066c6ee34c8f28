/**
 * The beginning of a refresh family, for every grant that a person has just made: who gets one, and its first token. Rotation: grants/refresh-token.ts.
 */
import type { Context } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import type { Client, Grant, RefreshFamily } from '../storage/store.ts';
import { firstRefreshToken, newFamilyId } from './refresh-token-value.ts';

export type BegunFamily = { token: string; family: RefreshFamily };

/** `authTime` is when the person signed in, `amr` how, `dpopJkt` the key that the client proved. */
export type Beginning = { client: Client; grant: Grant; authTime: number; amr: string[] | undefined; dpopJkt: string | undefined };

/**
 * COD-10: a family for clients that may refresh, and undefined for others, and where the person allowed it once.
 * RFC 9449 §5: "Refresh tokens issued to confidential clients [...] are not bound to the DPoP proof public key", because the client's secret binds them.
 */
export function beginFamily({ client, grant, authTime, amr, dpopJkt }: Beginning, context: Context): BegunFamily | undefined {
  if (!mayRefresh(client, grant, context)) return undefined;
  const { refreshLifetimeSeconds } = context.options;
  const now = context.now();
  const familyId = newFamilyId(now);
  const token = firstRefreshToken(familyId, context);
  const expiresAt = Math.min(now + refreshLifetimeSeconds, grant.expiresAt ?? Number.POSITIVE_INFINITY);
  const family: RefreshFamily = {
    familyId,
    grantId: grant.id,
    clientId: grant.clientId,
    currentHash: sha256(token),
    generation: 0,
    authTime,
    amr,
    dpopJkt: client.metadata.tokenEndpointAuthMethod === 'none' ? dpopJkt : undefined,
    createdAt: now,
    rotatedAt: now,
    idleExpiresAt: Math.min(dormantFrom(now, context), expiresAt),
    expiresAt,
  };
  return { token, family };
}

/** When a family that is used now has been idle too long. */
export function dormantFrom(now: number, { options: { dormantSeconds } }: Context): number {
  return dormantSeconds === 0 ? Number.POSITIVE_INFINITY : now + dormantSeconds;
}

function mayRefresh({ metadata }: Client, grant: Grant, { options }: Context): boolean {
  return !grant.once && metadata.grantTypes.includes('refresh_token') && (options.refreshTokens === 'always' || grant.scope.includes('offline_access'));
}
