/**
 * grant_type=refresh_token (OAuth 2.1 §4.3) with rotation: every use makes a new token. The immediate predecessor gets the same successor again for a short
 * while, because real clients race; anything older ends the family (D5). The race itself is decided by the store in one statement.
 */
import { clientView } from '../../account/client-view.ts';
import { type AuditEvent, auditEvent } from '../../audit/event.ts';
import type { Context } from '../../context.ts';
import { sha256 } from '../../crypto/hash.ts';
import { OAuthError } from '../../errors.ts';
import type { Answer } from '../../route.ts';
import type { Grant, RefreshFamily } from '../../storage/store.ts';
import { checkBoundKey, spendProof } from '../dpop.ts';
import { issue } from '../issue.ts';
import { grantPaused } from '../paused.ts';
import { dormantFrom } from '../refresh-family.ts';
import { parseRefreshToken, type RefreshTokenValue, successorOf } from '../refresh-token-value.ts';
import { askedGrant } from './asked-grant.ts';
import type { GrantType, TokenRequest } from './grant-type.ts';
import { narrowScope } from './narrow.ts';

export const refreshToken: GrantType = { name: 'refresh_token', redeem };

type Presented = RefreshTokenValue & { value: string };
type Found = { family: RefreshFamily; grant: Grant };

async function redeem(request: TokenRequest, context: Context): Promise<Answer> {
  const presented = presentedToken(request, context);

  const found = await context.store.findFamily(presented.familyId, context.now());
  // RT-04: another client's attempt changes nothing, else anybody could end anybody's access.
  if (!found || found.family.clientId !== request.client.id) throw notValid('unknown, or of another client');
  checkBoundKey(found.family.dpopJkt, request.proof);
  if (found.family.revokedAt !== undefined) throw notValid('the family is revoked');
  const { grant, paused, standing } = await askedGrant(request.parameters.all('resource'), found, context);
  if (paused) throw grantPaused();
  if (!standing) throw notValid('the grant no longer stands');
  const scope = narrowScope(request.parameters.get('scope'), grant.scope, grant.removedScope);
  // An agent in a loop writes a row each time around; hosted ones share everything but the grant.
  context.limits.checkHere('refresh.grant', presented.familyId);

  const dpopJkt = await spendProof(request.proof, context);
  const next = await rotate(presented, { family: found.family, grant }, request, context);
  context.uses.grant(grant.id, context.now());

  return issue({ ...issueFrom({ family: found.family, grant }), scope, refreshToken: next, dpopJkt }, context);
}

function presentedToken({ parameters }: TokenRequest, context: Context): Presented {
  const value = parameters.get('refresh_token');
  if (value === undefined) throw new OAuthError('invalid_request', 'refresh_token is required');
  const parsed = parseRefreshToken(value, context);
  if (!parsed) throw notValid('not made here');
  return { ...parsed, value };
}

/** Resolves to the token that takes over. */
async function rotate({ value, familyId, generation }: Presented, { family, grant }: Found, request: TokenRequest, context: Context): Promise<string> {
  const { refreshGraceSeconds } = context.options;
  const now = context.now();
  const next = successorOf(value, { familyId, generation }, context);
  const rotation = {
    familyId,
    presentedHash: sha256(value),
    nextHash: sha256(next),
    ...(grant.id === family.grantId ? {} : { companionId: grant.id }),
    now,
    idleExpiresAt: Math.min(dormantFrom(now, context), family.expiresAt),
    graceSeconds: refreshGraceSeconds,
  };
  const result = await context.store.rotateRefreshToken(rotation, () => reuseEvent(grant, request, context));
  if (result.outcome === 'rotated' || result.outcome === 'repeated') return next;
  if (result.outcome === 'paused') throw grantPaused();
  throw notValid(result.outcome === 'reused' ? 'reused: the family is revoked' : 'the family no longer stands');
}

/** Made only when a token turns out to be reused: its person is told, because somebody has a copy. */
async function reuseEvent(grant: Grant, { client, exchange }: TokenRequest, context: Context): Promise<AuditEvent> {
  const event = auditEvent('refresh_token.reused', context.now(), `client:${client.id}`, {
    userId: grant.userId,
    clientId: client.id,
    serverId: grant.serverId,
    grantId: grant.id,
    address: exchange.address,
    requestId: exchange.requestId,
  });
  const [user, server] = await Promise.all([
    grant.userId === undefined ? undefined : context.store.findUser(grant.userId),
    grant.serverId === undefined ? undefined : context.store.findServer(grant.serverId),
  ]);
  if (!user) return event;
  const about = { client: await clientView(client, context), server: server?.name ?? context.options.serviceName, path: '/account/agents' };
  return context.mail.notify(event, { kind: 'key-reused', user, about }, exchange);
}

/** RT-08: who signed in and when does not change by refreshing. */
function issueFrom({ family, grant }: Found) {
  return {
    grantId: grant.id,
    subject: grant.userId ?? grant.clientId,
    clientId: grant.clientId,
    resource: grant.resource,
    authTime: family.authTime,
    amr: family.amr,
    grantExpiresAt: grant.expiresAt,
  };
}

function notValid(reason: string): OAuthError {
  return new OAuthError('invalid_grant', 'The refresh token is not valid', { cause: reason });
}
