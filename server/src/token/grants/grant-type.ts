/**
 * What a grant type is to the token endpoint: a name and a way from an authenticated request to tokens.
 */
import type { Context, Exchange } from '../../context.ts';
import type { Answer } from '../../route.ts';
import type { Parameters } from '../../rules/parameters.ts';
import type { Client } from '../../storage/store.ts';
import type { Proof } from '../dpop.ts';

/** A request whose client is who it says and may use the grant type. */
export type TokenRequest = {
  parameters: Parameters;
  client: Client;
  exchange: Exchange;
  /** The DPoP proof of the request, if it has one; `spendProof` uses it up just before anything is changed. */
  proof: Proof | undefined;
};

export type GrantType = {
  /** The value of `grant_type`, and what metadata and registration call it. */
  readonly name: string;
  /** Finds out who asks; client authentication unless the grant has a way of its own. */
  readonly identify?: (exchange: Exchange, parameters: Parameters, context: Context) => Promise<Client>;
  readonly redeem: (request: TokenRequest, context: Context) => Promise<Answer>;
};
