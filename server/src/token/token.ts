/**
 * POST /token (OAuth 2.1 §3.2): parse, authenticate the client, check that it may use the grant type, and let the grant answer. In that order, so that a
 * wrong secret never learns anything about a code (TOK-06). Not here: the grants (grants/), the tokens (issue.ts).
 */
import type { Context, Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import type { Answer } from '../route.ts';
import type { Client } from '../storage/store.ts';
import { readBackChannel } from './back-channel.ts';
import { authenticateClient } from './client-auth.ts';
import { type Proof, presentedProof, withNextNonce } from './dpop.ts';
import type { GrantType } from './grants/grant-type.ts';
import { grantTypes } from './grants/index.ts';

const byName = new Map(grantTypes.map((grantType) => [grantType.name, grantType]));

/** The handler of /token. */
export async function token(exchange: Exchange, context: Context): Promise<Answer> {
  const parameters = await readBackChannel(exchange);
  const grantType = offeredGrantType(parameters.get('grant_type'));
  exchange.grantType = grantType.name;

  const client = await (grantType.identify ?? authenticateClient)(exchange, parameters, context);
  checkPermission(client, grantType);
  const proof = await presentedProof(exchange, { nonces: 'authorization server' }, context);
  checkDemandedProof(client, proof);

  const answer = await grantType.redeem({ parameters, client, exchange, proof }, context);
  context.uses.client(client.id, context.now());
  return withNextNonce(answer, proof);
}

function offeredGrantType(name: string | undefined): GrantType {
  if (name === undefined) throw new OAuthError('invalid_request', 'grant_type is required');
  const grantType = byName.get(name);
  if (!grantType) throw new OAuthError('unsupported_grant_type', 'The grant type is not offered');
  return grantType;
}

function checkPermission(client: Client, { name }: GrantType): void {
  if (!client.metadata.grantTypes.includes(name)) throw new OAuthError('unauthorized_client', 'The client is not registered for this grant type');
}

/** RFC 9449 §5.2: a client that said so gets bound tokens or none. @throws {OAuthError} invalid_dpop_proof */
function checkDemandedProof({ metadata }: Client, proof: Proof | undefined): void {
  if (metadata.dpopBoundAccessTokens && !proof)
    throw new OAuthError('invalid_dpop_proof', 'The client is registered for bound tokens: a DPoP proof is required');
}
