/**
 * grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer (RFC 7523 §2.1): the word of a trusted issuer instead of a code. Two kinds, told apart by who comes: a
 * client that authenticates brings an identity assertion about a person (identity-assertion.ts); a workload has nothing but the token of its platform (workload.ts).
 */
import type { Context, Exchange } from '../../context.ts';
import { readForeignJwt } from '../../crypto/foreign-jwt.ts';
import { OAuthError } from '../../errors.ts';
import type { Answer } from '../../route.ts';
import type { Parameters } from '../../rules/parameters.ts';
import type { Client } from '../../storage/store.ts';
import { authenticateClient } from '../client-auth.ts';
import { idJagType, redeemIdentityAssertion } from '../jwt-bearer/identity-assertion.ts';
import { redeemWorkloadToken, workloadClient } from '../jwt-bearer/workload.ts';
import type { GrantType, TokenRequest } from './grant-type.ts';

export const jwtBearer: GrantType = { name: 'urn:ietf:params:oauth:grant-type:jwt-bearer', identify, redeem };

/** SEP-1933: a workload has no credentials besides its assertion; everybody else proves who they are as ever. */
function identify(exchange: Exchange, parameters: Parameters, context: Context): Promise<Client> {
  if (!isWorkload(exchange, parameters)) return authenticateClient(exchange, parameters, context);
  return workloadClient(presentedAssertion(parameters), { exchange, parameters }, context);
}

function redeem(request: TokenRequest, context: Context): Promise<Answer> {
  if (isWorkload(request.exchange, request.parameters)) return redeemWorkloadToken(presentedAssertion(request.parameters), request, context);
  return redeemIdentityAssertion(presentedAssertion(request.parameters), request, context);
}

function isWorkload({ request }: Exchange, parameters: Parameters): boolean {
  const authenticates =
    request.headers.get('authorization') !== null ||
    ['client_secret', 'client_assertion', 'client_assertion_type'].some((name) => parameters.get(name) !== undefined);
  return !authenticates && readForeignJwt(parameters.get('assertion') ?? '')?.header.typ?.toLowerCase() !== idJagType;
}

function presentedAssertion(parameters: Parameters): string {
  const assertion = parameters.get('assertion');
  if (assertion === undefined) throw new OAuthError('invalid_request', 'assertion is required');
  return assertion;
}
