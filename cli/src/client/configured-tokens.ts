/**
 * Tokens for a server without an address (stdio): its configuration says where to sign in. Kept tokens first, then renewed ones, then the person.
 */
import type { AuthorizationServerMetadata } from '@modelcontextprotocol/client';
import type { ConfiguredAuth } from './config.ts';
import { configuredIssuer } from './configured-issuer.ts';
import { type Fetch, guardedFetch } from './guarded-fetch.ts';
import type { Reception } from './reception.ts';
import { clientFor } from './registration.ts';
import { renew } from './renewal.ts';
import { findServerMetadata, legacyMetadata } from './server-metadata.ts';
import { signIn, tokenRefusal } from './sign-in.ts';
import { type CredentialStore, type KeptTokens, tokenKey } from './store.ts';

export type ConfiguredSignIn = { name: string; auth: ConfiguredAuth; store: CredentialStore; openReception(): Promise<Reception>; now: number };

/** Resolves to an access token that lives for at least another minute. @throws {Failure} as a sign-in does. */
export async function configuredTokens(wanted: ConfiguredSignIn): Promise<KeptTokens> {
  try {
    return await tokensOf(wanted);
  } catch (error) {
    throw tokenRefusal(error, wanted.auth.tokenUrl.origin);
  }
}

async function tokensOf({ name, auth, store, openReception, now }: ConfiguredSignIn): Promise<KeptTokens> {
  const fetch = guardedFetch({ home: auth.authorizationUrl });
  const metadata = await metadataOf(auth, fetch);
  const place = { issuer: metadata.issuer, resource: auth.resource ?? `stdio:${name}:${auth.clientId}` };
  const configured = { clientId: auth.clientId, clientSecret: auth.clientSecret };
  const kept = store.read().tokens[tokenKey(place)];
  if (kept?.accessToken && kept.requestedScope === auth.scope && (kept.expiresAt ?? Number.POSITIVE_INFINITY) > now + 60) return kept;
  const client = (redirectUri: string) => clientFor({ metadata, configured, redirectUri, store, fetch });
  if (kept && kept.requestedScope === auth.scope) {
    const renewed = await renew({ metadata, client: await client(''), store, place, refused: kept.accessToken, fetch, now });
    if (renewed) return renewed;
  }
  const reception = await openReception();
  try {
    const known = await client(reception.redirectUri);
    const made = await signIn({ metadata, client: known, reception, scope: auth.scope, resource: auth.resource, fetch, now });
    await store.change((all) => {
      all.tokens[tokenKey(place)] = made;
    });
    return made;
  } finally {
    reception.close();
  }
}

/** What the person wrote down wins; the metadata of that issuer only adds to it (iss, methods). */
async function metadataOf(auth: ConfiguredAuth, fetch: Fetch): Promise<AuthorizationServerMetadata> {
  const { authorizationUrl, tokenUrl } = auth;
  const issuer = await configuredIssuer(auth, fetch);
  const found = (await findServerMetadata(issuer, fetch)) ?? legacyMetadata(issuer);
  return { ...found, authorization_endpoint: authorizationUrl.href, token_endpoint: tokenUrl.href };
}
