/**
 * The keys with which a client proves who it is (private_key_jwt): those in its metadata, or those at its `jwks_uri`. A client rotates by publishing the new key
 * beside the old one; nobody has to be told.
 */
import type { Context } from '../context.ts';
import { type KeyRing, keyRing } from '../crypto/foreign-jwt.ts';
import type { Jwt } from '../crypto/jwt.ts';
import { isByOperator } from '../rules/registered-by.ts';
import type { Client } from '../storage/store.ts';
import { FetchFailure } from './fetch-failure.ts';
import { verifyUnderRemoteKeys } from './remote-keys.ts';

/** Rings of inline key sets by their text: importing a key costs as much as verifying with it. */
const rings = new Map<string, KeyRing>();
const remembered = 1000;

/** The token if a key of this client signed it. @throws {OAuthError} too_many_requests while too many key sets are asked for. */
export async function verifyUnderClientKeys(client: Client, token: string, context: Context): Promise<Jwt | undefined> {
  const { jwks, jwksUri, tokenEndpointAuthSigningAlg: only } = client.metadata;
  const chosenBy = isByOperator(client) ? 'operator' : 'stranger';
  const algorithms = only === undefined ? undefined : [only];
  try {
    if (jwksUri !== undefined) return verifiedOr(await verifyUnderRemoteKeys({ url: jwksUri, chosenBy }, token, context, algorithms));
    return jwks && verifiedOr(await inlineRing(jwks.keys).verify(token, algorithms));
  } catch (error) {
    if (!(error instanceof FetchFailure)) throw error;
    context.log.warn('client_keys.unavailable', { client_id: client.id, reason: error.kind });
    return undefined;
  }
}

function verifiedOr(verified: Jwt | 'unknown-key' | 'invalid'): Jwt | undefined {
  return typeof verified === 'string' ? undefined : verified;
}

function inlineRing(keys: Record<string, unknown>[]): KeyRing {
  const text = JSON.stringify(keys);
  const known = rings.get(text);
  if (known) return known;
  const [oldest] = rings.keys();
  if (rings.size >= remembered && oldest !== undefined) rings.delete(oldest);
  const ring = keyRing(keys);
  rings.set(text, ring);
  return ring;
}
