/**
 * Which issuer an `auth` of the configuration means: it names two endpoints, as the guide's format has it, and perhaps the issuer itself. Not here: what is
 * done there (configured-tokens.ts, session.ts).
 */
import { Failure } from '../exit-codes.ts';
import type { ConfiguredAuth } from './config.ts';
import type { Fetch } from './guarded-fetch.ts';
import { findServerMetadata } from './server-metadata.ts';

/** The issuer that is written down; else the one below the endpoint's origin whose metadata (RFC 8414 §3.1) names this endpoint; else the origin. */
export async function configuredIssuer({ issuer, authorizationUrl }: Pick<ConfiguredAuth, 'issuer' | 'authorizationUrl'>, fetch: Fetch): Promise<string> {
  if (issuer !== undefined) return issuer;
  for (const candidate of issuersAbove(authorizationUrl)) {
    const metadata = await findServerMetadata(candidate, fetch).catch(passedOver);
    if (metadata?.authorization_endpoint === authorizationUrl.href) return candidate;
  }
  return authorizationUrl.origin;
}

/** `https://a/t/acme` and `https://a/t` for `https://a/t/acme/authorize`: the longest first. */
function issuersAbove({ origin, pathname }: URL): string[] {
  const folders = pathname.split('/').slice(1, -1);
  return folders.map((_, index) => `${origin}/${folders.slice(0, folders.length - index).join('/')}`);
}

/** What answers there speaks for another issuer, or badly: then it is not this one. */
function passedOver(error: unknown): undefined {
  if (!(error instanceof Failure)) throw error;
}
