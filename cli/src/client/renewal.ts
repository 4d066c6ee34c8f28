/**
 * Renews tokens (RFC 6749 §6) alone: under the lock of the store, after reading it again, because a refresh token works once and several processes share it.
 */
import { type AuthorizationServerMetadata, OAuthError, refreshAuthorization } from '@modelcontextprotocol/client';
import type { Fetch } from './guarded-fetch.ts';
import { proofKeyOf, provingFetch } from './proof-key.ts';
import { authenticate } from './registration.ts';
import { keptTokens } from './sign-in.ts';
import { type CredentialStore, type KeptClient, type KeptPlace, type KeptTokens, tokenKey } from './store.ts';

export type Renewal = {
  metadata: AuthorizationServerMetadata;
  client: KeptClient;
  store: CredentialStore;
  place: KeptPlace;
  /** The access token that no longer works. */
  refused?: string;
  fetch: Fetch;
  /** Seconds. */
  now: number;
};

/** Resolves to tokens that another process made meanwhile, or that were renewed; undefined when the person must sign in. */
export async function renew({ metadata, client, store, place, refused, fetch, now }: Renewal): Promise<KeptTokens | undefined> {
  return store.change(async (kept) => {
    const key = tokenKey(place);
    const current = kept.tokens[key];
    if (!current || current.accessToken === '') return undefined;
    if (refused !== undefined && current.accessToken !== refused) return current;
    if (current.refreshToken === undefined) return undefined;
    const proofKey = current.proofKey && proofKeyOf(current.proofKey);
    try {
      const answer = await refreshAuthorization(metadata.issuer, {
        metadata,
        clientInformation: { client_id: client.clientId },
        refreshToken: current.refreshToken,
        // A place without an address sends none; the text is the registered one, byte for byte.
        resource: /^https?:/.test(place.resource) ? (place.resource as unknown as URL) : undefined,
        addClientAuthentication: authenticate(client),
        fetchFn: proofKey ? provingFetch(fetch, proofKey, now) : fetch,
      });
      const renewed = { ...keptTokens(answer, { requestedScope: current.requestedScope, proofKey, now }), scope: answer.scope ?? current.scope };
      kept.tokens[key] = renewed;
      return renewed;
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      // What was requested stays known, so that the next sign-in asks for no less.
      if (error.code === 'invalid_client' || error.code === 'unauthorized_client') delete kept.clients[place.issuer];
      else if (error.code !== 'invalid_grant') throw error;
      kept.tokens[key] = { ...current, accessToken: '', refreshToken: undefined, expiresAt: 0 };
      return undefined;
    }
  });
}
