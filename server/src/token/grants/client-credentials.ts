/**
 * grant_type=client_credentials (OAuth 2.1 §4.2): a machine acts for itself. Only for confidential clients that an operator registered, within the scope of
 * their registration. The grant it makes is seen and revoked like a person's.
 */
import { auditEvent } from '../../audit/event.ts';
import type { Context } from '../../context.ts';
import { randomIdAt } from '../../crypto/random.ts';
import { OAuthError } from '../../errors.ts';
import type { Answer } from '../../route.ts';
import { isByOperator } from '../../rules/registered-by.ts';
import { askedScope, identityScopes, isSubset, parseScope } from '../../rules/scope.ts';
import { findTarget, type Target } from '../../servers/resource.ts';
import type { Client, Grant } from '../../storage/store.ts';
import { spendProof } from '../dpop.ts';
import { issue } from '../issue.ts';
import { grantPaused } from '../paused.ts';
import type { GrantType, TokenRequest } from './grant-type.ts';

export const clientCredentials: GrantType = { name: 'client_credentials', redeem };

async function redeem(request: TokenRequest, context: Context): Promise<Answer> {
  checkMachine(request.client);
  return redeemAsMachine(request, context);
}

/** What a machine gets, however it proved who it is: within its registration, under the grant of client and resource. `useUp` is the last check before anything is changed. */
export async function redeemAsMachine({ parameters, client, exchange, proof }: TokenRequest, context: Context, useUp?: () => Promise<void>): Promise<Answer> {
  context.limits.checkHere('token.client', client.id);
  const asked = askedScope(parameters.get('scope'));

  const target = await findTarget(parameters.all('resource'), client, context);
  const scope = machineScope(asked, client, target);

  const dpopJkt = await spendProof(proof, context);
  await useUp?.();
  const wanted = machineGrant(client, target, scope, context.now());
  const event = auditEvent('grant.machine_approved', context.now(), `client:${client.id}`, {
    clientId: client.id,
    serverId: wanted.serverId,
    grantId: wanted.id,
    address: exchange.address,
    requestId: exchange.requestId,
    detail: { scope },
  });
  const grant = await context.store.ensureMachineGrant(wanted, event);
  if (grant.paused) throw grantPaused();
  context.uses.grant(grant.id, context.now());

  return issue({ grantId: grant.id, subject: client.id, clientId: client.id, resource: target.resource, scope, dpopJkt }, context);
}

/** CC-01; CC-03: ids of people begin with `usr_`, so no client of such a name may become a subject. @throws {OAuthError} unauthorized_client */
function checkMachine(client: Client): void {
  if (!isByOperator(client) || client.metadata.tokenEndpointAuthMethod === 'none' || client.id.startsWith('usr_'))
    throw new OAuthError('unauthorized_client', 'Only a confidential client that an operator registered may act for itself');
}

/** CC-02, CC-05: within the registration and the target; scopes about a person make no sense here. @throws {OAuthError} invalid_scope */
function machineScope(asked: string[], client: Client, target: Target): string[] {
  const offered = new Set(target.scopes.map(({ name }) => name));
  const allowed = parseScope(client.metadata.scope).filter((name) => offered.has(name) && !identityScopes.includes(name));
  if (!isSubset(asked, allowed)) throw new OAuthError('invalid_scope', 'The scope exceeds the registration of this client or the scopes of the resource');
  if (allowed.length === 0) throw new OAuthError('invalid_scope', 'This client is registered for no scope of the resource');
  return asked.length > 0 ? asked : allowed;
}

function machineGrant(client: Client, target: Target, scope: string[], now: number): Grant {
  return {
    id: randomIdAt('grant_', now, 6),
    clientId: client.id,
    serverId: target.server?.id,
    resource: target.resource,
    scope,
    createdAt: now,
    lastUsedAt: now,
  };
}
