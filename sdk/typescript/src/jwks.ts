/**
 * The public keys of the one trusted issuer (RFC 7517; KEY-04, KEY-05). The address is pinned by configuration: nothing in a token is ever followed.
 * An unknown key id causes one fetch at most every 30 seconds, shared by all who wait; known keys outlive an outage for a while.
 */
import { type CompactJWSHeaderParameters, createLocalJWKSet, errors, type JSONWebKeySet } from 'jose';
import { getDocument } from './authorization-server.ts';
import { AuthenticationError, AuthServerUnavailable } from './errors.ts';
import { createFlights } from './flights.ts';
import type { Settings } from './options.ts';

type Resolve = ReturnType<typeof createLocalJWKSet>;
type Key = Awaited<ReturnType<Resolve>>;

/** Finds the key that a JWS header names. */
export type KeySource = (header: CompactJWSHeaderParameters) => Promise<Key>;

const freshSeconds = 600;
const cooldownSeconds = 30;
const path = '/.well-known/jwks.json';

/** Makes a source of keys. Its calls throw AuthenticationError for a key nobody published, AuthServerUnavailable when that cannot be known. */
export function createKeySource(settings: Settings): KeySource {
  let keys: { resolve: Resolve; fetchedAt: number } | undefined;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let failure: AuthServerUnavailable | undefined;
  const flights = createFlights<void>(settings.timeout);

  async function fetchKeys(): Promise<void> {
    attemptedAt = settings.now();
    failure = undefined;
    try {
      keys = { resolve: createLocalJWKSet(keySetOf(await getDocument(path, settings))), fetchedAt: settings.now() };
    } catch (error) {
      failure = error instanceof AuthServerUnavailable ? error : new AuthServerUnavailable('jwks', { cause: error });
      if (failure.reason.startsWith('jwks')) settings.hint(`${settings.issuer}${path} names no keys. Callers get 503 for tokens of keys not known before.`);
    }
  }

  /** Joins a running fetch, or starts one unless the last is too recent. Never rejects: `failure` tells. */
  async function refresh(): Promise<void> {
    const now = settings.now();
    if (!flights.has('keys') && now < attemptedAt + cooldownSeconds && keys) return;
    await flights.join('keys', fetchKeys, now);
  }

  function usableKeys(): Resolve {
    const limit = Math.max(settings.maxStaleKeys, freshSeconds);
    if (keys && settings.now() < keys.fetchedAt + limit) return keys.resolve;
    throw failure ?? new AuthServerUnavailable('jwks');
  }

  return async function findKey(header) {
    if (!keys || settings.now() >= keys.fetchedAt + freshSeconds) await refresh();
    const key = await lookUp(usableKeys(), header);
    if (key) return key;
    await refresh();
    const published = await lookUp(usableKeys(), header);
    if (published) return published;
    // After a failed fetch the key may well exist: an outage, not a bad token.
    throw failure ?? new AuthenticationError('invalid_token', 'unknown_key');
  };
}

async function lookUp(resolve: Resolve, header: CompactJWSHeaderParameters): Promise<Key | undefined> {
  try {
    // Nothing else of the header reaches the choice of a key: not jwk, not jku, not x5c.
    return await resolve({ alg: header.alg, ...(header.kid !== undefined && { kid: header.kid }) });
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return undefined;
    throw new AuthenticationError('invalid_token', 'key', { cause: error });
  }
}

function keySetOf(document: Readonly<Record<string, unknown>>): JSONWebKeySet {
  const { keys } = document;
  if (!Array.isArray(keys) || keys.length === 0) throw new AuthServerUnavailable('jwks_empty');
  return { keys };
}
