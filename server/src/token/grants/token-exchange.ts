/**
 * grant_type=urn:ietf:params:oauth:grant-type:token-exchange (RFC 8693): reads what every exchange has and hands over to the kind of token that is asked for.
 * Not here: what an exchange may give (exchange/).
 */
import type { Context } from '../../context.ts';
import { OAuthError } from '../../errors.ts';
import type { Answer } from '../../route.ts';
import type { Parameters } from '../../rules/parameters.ts';
import { requestedTokenTypes } from '../exchange/index.ts';
import { accessTokenType, type PresentedToken, type RequestedTokenType } from '../exchange/token-type.ts';
import type { GrantType, TokenRequest } from './grant-type.ts';

export const tokenExchange: GrantType = { name: 'urn:ietf:params:oauth:grant-type:token-exchange', redeem };

const byName = new Map(requestedTokenTypes.map((type) => [type.name, type]));

function redeem(request: TokenRequest, context: Context): Promise<Answer> {
  const { parameters } = request;
  const subject = presentedToken('subject', parameters);
  const actor = presentedToken('actor', parameters);
  const wanted = requestedType(parameters.get('requested_token_type') ?? accessTokenType);

  if (!subject) throw new OAuthError('invalid_request', 'subject_token is required');

  return wanted.exchange({ ...request, subject, actor }, context);
}

/** RFC 8693 §2.1: a type is required beside its token, and "MUST NOT be included" without one. */
function presentedToken(role: 'subject' | 'actor', parameters: Parameters): PresentedToken | undefined {
  const value = parameters.get(`${role}_token`);
  const type = parameters.get(`${role}_token_type`);
  if (value === undefined && type === undefined) return undefined;
  if (value === undefined) throw new OAuthError('invalid_request', `${role}_token_type is there without its ${role}_token`);
  if (type === undefined) throw new OAuthError('invalid_request', `${role}_token_type is required`);
  return { value, type };
}

function requestedType(name: string): RequestedTokenType {
  const type = byName.get(name);
  if (!type) throw new OAuthError('invalid_request', 'requested_token_type is not one that is issued here');
  return type;
}
