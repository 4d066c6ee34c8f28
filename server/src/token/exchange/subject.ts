/**
 * The tokens that come with an exchange (RFC 8693 §2.1). The subject token is judged as introspection judges it, not by its signature alone: it stands, its
 * person and its chain stand, and it was made for the server that presents it. Whatever is wrong, the answer is the same (TEX-02).
 */
import type { Context } from '../../context.ts';
import { OAuthError } from '../../errors.ts';
import { allowedNow } from '../../rules/allowed-scope.ts';
import type { McpServer } from '../../storage/store.ts';
import { type AccessToken, readAccessToken } from '../access-token.ts';
import { standingChain } from '../delegation.ts';
import { accessTokenType, type ExchangeRequest, type PresentedToken } from './token-type.ts';

/** @throws {OAuthError} invalid_request (RFC 8693 §2.2.2), too_many_requests */
export async function readSubject({ subject, client }: ExchangeRequest, server: McpServer, context: Context): Promise<AccessToken> {
  const token = await readStanding(subject, client.id, context);
  // A server that could exchange what was meant for others would collect the reach of everybody (TEX-05).
  if (token?.audience !== server.resource) throw unacceptable('subject', 'not active, or for another server');
  if (!token.subject.startsWith('usr_')) throw unacceptable('subject', 'not of a person');
  return token;
}

/** The client acts and has proven who it is; an actor token may say so again, and nothing else. @throws {OAuthError} invalid_request */
export async function checkActorToken({ actor, client, proof }: ExchangeRequest, context: Context): Promise<void> {
  if (!actor) return;
  const token = await readStanding(actor, client.id, context);
  if (token?.subject !== client.id || token.clientId !== client.id) throw unacceptable('actor', 'not active, or of another than the client');
  if (token.jkt !== undefined && token.jkt !== proof?.jkt) throw unacceptable('actor', 'bound to another key');
}

/** The token if it is an access token of this tenant that nobody has ended. */
async function readStanding({ value, type }: PresentedToken, clientId: string, context: Context): Promise<AccessToken | undefined> {
  if (type !== accessTokenType) throw new OAuthError('invalid_request', 'Only access tokens can be exchanged');
  const token = await readAccessToken(value, context, () => context.limits.checkHere('introspect.unseen', clientId));
  if (!token) return undefined;
  const grant = await context.store.standing({ grantId: token.grantId, jti: token.jti, now: context.now() });
  const chain = token.delegation && (await standingChain(token.delegation, context));
  if (!grant?.active || (token.delegation && !chain)) return undefined;
  return { ...token, scope: allowedNow(allowedNow(token.scope, grant.removedScope), chain?.removedScope) };
}

function unacceptable(role: 'subject' | 'actor', reason: string): OAuthError {
  return new OAuthError('invalid_request', `The ${role} token is not valid`, { cause: reason });
}
