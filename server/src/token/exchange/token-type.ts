/**
 * What a kind of token is to token exchange (RFC 8693 §2.1): the name asked for in `requested_token_type`, and a way to it from a checked request.
 */
import type { Context } from '../../context.ts';
import type { Answer } from '../../route.ts';
import type { TokenRequest } from '../grants/grant-type.ts';

/** RFC 8693 §3. */
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

/** OpenID Connect's and the two that an identity assertion is made from and of (draft-ietf-oauth-identity-assertion-authz-grant §4.3). */
export const idTokenType = 'urn:ietf:params:oauth:token-type:id_token';
export const refreshTokenType = 'urn:ietf:params:oauth:token-type:refresh_token';
export const idJagTokenType = 'urn:ietf:params:oauth:token-type:id-jag';

export type PresentedToken = { value: string; type: string };

/** A request whose tokens come with their types; what they are is for the kind of token that is asked for to say. */
export type ExchangeRequest = TokenRequest & { subject: PresentedToken; actor?: PresentedToken };

export type RequestedTokenType = {
  /** The value of `requested_token_type`, and of `issued_token_type` in the answer. */
  readonly name: string;
  readonly exchange: (request: ExchangeRequest, context: Context) => Promise<Answer>;
};
