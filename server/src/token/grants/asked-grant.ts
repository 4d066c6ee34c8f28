/**
 * Which grant a token is under, when a person allowed several resources at once: code and refresh token belong to the first, and `resource` names one of them (RFC 8707
 * §2.2). Costs nothing where one resource was allowed or the first is meant. Not here: what is asked of a single grant (narrow.ts).
 */
import type { Context } from '../../context.ts';
import { OAuthError } from '../../errors.ts';
import type { Grant, GrantState } from '../../storage/store.ts';
import { checkResource, namesOnly, oneResource } from './narrow.ts';

export type StandingGrant = { grant: Grant } & GrantState;

/**
 * The grant for the resource that is named; without a name, the first.
 *
 * @throws {OAuthError} invalid_target for several resources, and for one that was not allowed or no longer is while another is.
 */
export async function askedGrant(values: readonly string[], first: StandingGrant, context: Context): Promise<StandingGrant> {
  const { resource, approvedWith } = first.grant;
  if (approvedWith === undefined) {
    checkResource(values, resource);
    return first;
  }
  if (namesOnly(values, resource)) return stillAllowed(first, context);
  const companion = await context.store.findCompanion({ approvedWith, resource: oneResource(values) }, context.now());
  return companion ?? whileAnotherLives(first, 'The resource is not one of those that were granted, or no longer', context);
}

/** The first may have ended by itself: what was allowed elsewhere goes on, and the client is told to name it. */
async function stillAllowed(first: StandingGrant, context: Context): Promise<StandingGrant> {
  const { revokedAt, expiresAt = Number.POSITIVE_INFINITY } = first.grant;
  if (revokedAt === undefined && expiresAt > context.now()) return first;
  return whileAnotherLives(first, 'Access to the first resource has ended: name another that was granted', context);
}

/** Naming another resource helps nobody when nothing of the approval is left: then the grant stands no more. @throws {OAuthError} invalid_target */
async function whileAnotherLives({ grant }: StandingGrant, description: string, { store, now }: Context): Promise<StandingGrant> {
  const { userId, clientId, approvedWith } = grant;
  const living = await store.listGrants({ userId, clientId }, now());
  if (living.some((one) => one.approvedWith === approvedWith)) throw new OAuthError('invalid_target', description);
  return { grant, standing: false };
}
