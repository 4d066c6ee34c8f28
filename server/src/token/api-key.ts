/**
 * The API key of an MCP server as a caller's credential (RFC 6750 Bearer). Only reads what was presented: whether the key exists and lives is part of the
 * one question that /introspect asks the store. Not here: the format (servers/key-value.ts), making and revoking keys (api/).
 */

import type { Context, Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import type { HttpRequest } from '../http-request.ts';
import type { Parameters } from '../rules/parameters.ts';
import { parseKey } from '../servers/key-value.ts';

export type PresentedKey = { id: string; hash: string };
type KeyLife = { expiresAt: number; revokedAt?: number };

/**
 * The key in `Authorization: Bearer`, or undefined when the caller authenticates as a client.
 *
 * @throws {OAuthError} invalid_client when it is no key of ours, key_id_used_as_secret when it is only the id of one.
 */
export function presentedKey({ request }: Exchange, parameters: Parameters): PresentedKey | undefined {
  const credential = bearerCredential(request);
  if (credential === undefined) return undefined;
  if (parameters.get('client_secret') !== undefined || parameters.get('client_assertion') !== undefined)
    throw new OAuthError('invalid_request', 'Use one way of authentication, not two');
  const key = parseKey(credential);
  if (key === 'id-only')
    throw new OAuthError('key_id_used_as_secret', 'This is the id of an API key: send its key_secret, the long value shown once when the key was made', {
      headers: { 'WWW-Authenticate': challenge },
      members: { code: 'key_id_used_as_secret' },
    });
  if (!key) throw keyRefused('not an API key');
  return key;
}

/** Refuses a key that does not exist, was revoked or has ended; outside they look the same. */
export function checkKey<Key extends KeyLife>(key: Key | undefined, context: Context): Key {
  if (!key) throw keyRefused('unknown API key');
  if (key.revokedAt !== undefined) throw keyRefused('revoked API key');
  if (key.expiresAt <= context.now()) throw keyRefused('expired API key');
  return key;
}

/** The credential of a Bearer header (RFC 6750 §2.1); undefined for no header or another scheme. */
function bearerCredential(request: HttpRequest): string | undefined {
  const header = request.headers.get('authorization');
  return header === null ? undefined : /^Bearer +(\S+) *$/i.exec(header)?.[1];
}

const challenge = 'Bearer realm="api-keys", error="invalid_token"';

function keyRefused(reason: string): OAuthError {
  return new OAuthError('invalid_client', 'The API key is not valid', { cause: reason, headers: { 'WWW-Authenticate': challenge } });
}
