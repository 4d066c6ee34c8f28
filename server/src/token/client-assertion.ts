/**
 * private_key_jwt (OpenID Connect Core §9, RFC 7523 §2.2 as updated by draft-ietf-oauth-rfc7523bis): a client proves who it is by signing a short-lived statement
 * for this server, once. Not here: the other ways and what a failure costs (client-auth.ts), where the keys come from (clients/keys.ts).
 */
import { findClientWithKeys } from '../clients/find.ts';
import { verifyUnderClientKeys } from '../clients/keys.ts';
import type { Context } from '../context.ts';
import { readForeignJwt } from '../crypto/foreign-jwt.ts';
import { sha256 } from '../crypto/hash.ts';
import { assertionClockSkew, assertionId, assertionProblem } from '../rules/assertion.ts';
import type { Client } from '../storage/store.ts';

/** The one value of `client_assertion_type` that is offered. */
export const clientAssertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** CA-07: "client-authentication+jwt" is the type of the update, clients of the RFC send JWT or nothing. */
const types = [undefined, 'jwt', 'client-authentication+jwt'];
const maxLifetimeSeconds = 600;

export type Proof = { client: Client } | { refused: string };

/** Who the assertion says it is from, before anything is believed: names the client whose keys decide. */
export function claimedClientId(assertion: string): string | undefined {
  const sub = readForeignJwt(assertion)?.claims.sub;
  return typeof sub === 'string' && sub !== '' ? sub : undefined;
}

/** CA-06: signed by a key of this client, from and about this client, for this issuer, now, and never seen before. */
export async function proveByAssertion(clientId: string, assertion: string, context: Context): Promise<Proof> {
  const found = await findClientWithKeys(clientId, context);
  if (found.state !== 'active') return { refused: 'unknown client' };
  if (found.client.metadata.tokenEndpointAuthMethod !== 'private_key_jwt') return { refused: 'the client is not registered for private_key_jwt' };

  const jwt = await verifyUnderClientKeys(found.client, assertion, context);
  if (!jwt) return { refused: 'the assertion is not signed by a key of the client' };
  const problem = problemWith(jwt, clientId, context);
  if (problem !== undefined) return { refused: `of the assertion, ${problem}` };

  return (await isFirstUse(clientId, jwt.claims, context)) ? { client: found.client } : { refused: 'the assertion was used before' };
}

type Read = NonNullable<ReturnType<typeof readForeignJwt>>;

function problemWith(jwt: Read, clientId: string, context: Context): string | undefined {
  const { iss, sub } = jwt.claims;
  if (iss !== clientId || sub !== clientId) return 'iss and sub are not the client';
  if (assertionId(jwt.claims) === undefined) return 'jti is missing';
  return assertionProblem(jwt, { types, audience: context.issuer, now: context.now(), maxLifetimeSeconds });
}

/** Last of all: an assertion that is refused for another reason leaves no trace. */
function isFirstUse(clientId: string, claims: Read['claims'], context: Context): Promise<boolean> {
  const idHash = sha256(JSON.stringify([clientId, claims.jti]));
  const expiresAt = Math.ceil(Number(claims.exp)) + assertionClockSkew;
  return context.store.useOnce({ kind: 'client_assertion', idHash, now: context.now(), expiresAt });
}
