/**
 * POST /revoke (RFC 7009): ends a token for whoever it was given to, or for the MCP server it is for. A refresh token takes its grant with it and so every
 * access token of that grant; an access token goes alone. Unknown and ended tokens are answered like ended ones.
 */
import { type AuditEvent, auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { type Answer, empty } from '../route.ts';
import type { Parameters } from '../rules/parameters.ts';
import { readAccessToken } from './access-token.ts';
import { checkKey, presentedKey } from './api-key.ts';
import { readBackChannel } from './back-channel.ts';
import { authenticateClient } from './client-auth.ts';
import { parseRefreshToken } from './refresh-token-value.ts';

/** Who asks, and which tokens are theirs to end. */
type Caller = { actor: string; isServer: boolean; owns(token: { clientId: string; resource: string }): boolean };

/** The handler of /revoke. `token_type_hint` is not needed to find a token, so it is not read (RFC 7009 §2.1). */
export async function revoke(exchange: Exchange, context: Context): Promise<Answer> {
  const parameters = await readBackChannel(exchange);

  const caller = await callerOf(exchange, parameters, context);
  const value = parameters.get('token');
  if (value === undefined) throw new OAuthError('invalid_request', 'token is required');

  if (value.startsWith('rt_')) await revokeRefreshToken(value, caller, exchange, context);
  else if (value.includes('.')) await revokeAccessToken(value, caller, exchange, context);
  else refuseOtherKinds(value);

  return empty(200);
}

async function callerOf(exchange: Exchange, parameters: Parameters, context: Context): Promise<Caller> {
  const presented = presentedKey(exchange, parameters);
  if (presented) {
    const key = checkKey(await context.store.findKey(presented.hash), context);
    return { actor: `key:${key.id}`, isServer: true, owns: ({ resource }) => resource === key.resource };
  }
  const client = await authenticateClient(exchange, parameters, context);
  return { actor: `client:${client.id}`, isServer: false, owns: ({ clientId }) => clientId === client.id };
}

/** Any token the family ever issued will do: whoever holds an old one wants the access to end as well. */
async function revokeRefreshToken(value: string, caller: Caller, exchange: Exchange, context: Context): Promise<void> {
  const parsed = parseRefreshToken(value, context);
  const found = parsed && (await context.store.findFamily(parsed.familyId, context.now()));
  if (!found) return;
  const { grant } = found;
  checkOwnership(caller, grant);
  const event = revocation('grant.revoked', caller, exchange, context, { userId: grant.userId, clientId: grant.clientId, grantId: grant.id });
  // A server's key ends access to its own server; the client gives back all that hangs from the token.
  if (grant.approvedWith === undefined || caller.isServer) await context.store.revokeGrant(grant.id, 'token_revoked', event);
  else await context.store.revokeApproval(grant.approvedWith, 'token_revoked', event);
}

async function revokeAccessToken(value: string, caller: Caller, exchange: Exchange, context: Context): Promise<void> {
  const token = await readAccessToken(value, context);
  if (!token) return refuseIdToken(value, context);
  checkOwnership(caller, { clientId: token.clientId, resource: token.audience });
  const event = revocation('token.revoked', caller, exchange, context, { clientId: token.clientId, grantId: token.grantId });
  await context.store.revokeAccessToken(token.jti, token.expiresAt, event);
}

/** REV-03: RFC 7009 §2.1 has the request refused and the client informed. */
function checkOwnership(caller: Caller, token: { clientId: string; resource: string }): void {
  if (!caller.owns(token)) throw new OAuthError('invalid_request', 'The token was not issued to this client');
}

/** RFC 7009 §2.2.1: saying 200 to a leaked API key would let its owner believe it is gone. Only the prefix is looked at, so nothing is told. */
function refuseOtherKinds(value: string): void {
  if (/^(ac|sk|aat|st)_/.test(value)) throw otherKind();
}

async function refuseIdToken(value: string, context: Context): Promise<void> {
  const keys = await context.signing.current();
  if (keys.verify(value)?.header.typ === 'JWT') throw otherKind();
}

function otherKind(): OAuthError {
  return new OAuthError('unsupported_token_type', 'Only access tokens and refresh tokens can be revoked here');
}

type About = { userId?: string; clientId: string; grantId: string };
function revocation(type: 'grant.revoked' | 'token.revoked', caller: Caller, exchange: Exchange, context: Context, about: About): AuditEvent {
  return auditEvent(type, context.now(), caller.actor, { ...about, address: exchange.address, requestId: exchange.requestId });
}
