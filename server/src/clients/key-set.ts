/**
 * Reads sets of public keys (RFC 7517 §5): those of a client, `jwks` by value or `jwks_uri` by reference, never both (RFC 7591 §2), and those found at an address.
 * Verifying with them is not here.
 */
import { OAuthError } from '../errors.ts';
import type { ClientMetadata } from '../storage/store.ts';
import { isPlainHttpsUrl } from './https-url.ts';

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const maxKeys = 20;
const maxPublishedKeys = 100;

/** @throws {OAuthError} invalid_client_metadata when both are given, when a key is private or symmetric, or when the address is not https. */
export function parseKeySet(jwks: unknown, jwksUri: unknown): Pick<ClientMetadata, 'jwks' | 'jwksUri'> | undefined {
  if (jwks !== undefined && jwksUri !== undefined) throw invalid('Send jwks or jwks_uri, not both');
  if (jwksUri !== undefined) {
    if (typeof jwksUri !== 'string' || !isPlainHttpsUrl(jwksUri)) throw invalid('jwks_uri must be an https URL');
    return { jwksUri };
  }
  return jwks === undefined ? undefined : { jwks: { keys: publicKeys(jwks) } };
}

function publicKeys(jwks: unknown): Record<string, unknown>[] {
  const keys: unknown = isObject(jwks) ? jwks.keys : undefined;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > maxKeys || !keys.every(isObject))
    throw invalid('jwks must have a keys array of 1 to 20 objects');
  for (const key of keys) {
    if (typeof key.kty !== 'string' || key.kty === 'oct') throw invalid('jwks must hold asymmetric keys with a kty');
    // Whoever sends a private key has published it: using it would make the leak work.
    if (privateMembers.some((member) => member in key)) throw invalid('jwks must hold public keys only');
  }
  return keys.map(flatKey);
}

/** What can be used of a key set that somebody publishes: a set may hold keys of kinds we do not know, and one that was leaked is no key. */
export function usableKeys(jwks: unknown): Record<string, unknown>[] {
  const keys: unknown = isObject(jwks) ? jwks.keys : undefined;
  if (!Array.isArray(keys)) return [];
  return keys.slice(0, maxPublishedKeys).filter(isPublicKey).map(flatKey);
}

function isPublicKey(key: unknown): key is Record<string, unknown> {
  return isObject(key) && typeof key.kty === 'string' && key.kty !== 'oct' && !privateMembers.some((member) => member in key);
}

/** Keeps strings and lists of strings, which is all that RFC 7517 and RFC 7518 put into a public key. */
function flatKey(key: Record<string, unknown>): Record<string, unknown> {
  const isText = (value: unknown) => typeof value === 'string';
  return Object.fromEntries(Object.entries(key).filter(([, value]) => isText(value) || (Array.isArray(value) && value.every(isText))));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(description: string): OAuthError {
  return new OAuthError('invalid_client_metadata', description);
}
