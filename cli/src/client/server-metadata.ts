/**
 * What an authorization server can do: its metadata (RFC 8414, OpenID Connect Discovery), in the order of the MCP specification, believed only when it is its
 * own issuer's and offers S256. Also the endpoints that servers of 2025-03-26 had instead of metadata.
 */
import { type AuthorizationServerMetadata, buildDiscoveryUrls } from '@modelcontextprotocol/client';
import { Failure } from '../exit-codes.ts';
import { safe } from '../terminal.ts';
import type { Fetch } from './guarded-fetch.ts';
import { readDocument } from './resource-metadata.ts';

/** Finds the metadata of `issuer`; a place that fails, in whatever way, is passed over. @throws {Failure} refused when it is another issuer's or lacks S256. */
export async function findServerMetadata(issuer: string, fetch: Fetch): Promise<AuthorizationServerMetadata | undefined> {
  if (!URL.canParse(issuer)) throw new Failure('refused', `${safe(issuer)} is no issuer`, { fix: 'The MCP server names its authorization server wrongly' });
  for (const { url } of buildDiscoveryUrls(issuer)) {
    const document = await readDocument(url, fetch);
    if (document) return checked(document, issuer);
  }
  return undefined;
}

/** Where it gives out device codes (RFC 8628 §4); undefined where it does not. */
export function deviceEndpoint(metadata: AuthorizationServerMetadata): string | undefined {
  // The SDK's type does not know the member, which is a stranger's anyway.
  const { device_authorization_endpoint: endpoint } = metadata as { device_authorization_endpoint?: unknown };
  return typeof endpoint === 'string' && URL.canParse(endpoint) ? endpoint : undefined;
}

/** The default endpoints of MCP 2025-03-26, for a server without any metadata. */
export function legacyMetadata(origin: string): AuthorizationServerMetadata {
  return {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    registration_endpoint: `${origin}/register`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
  };
}

function checked(document: Record<string, unknown>, issuer: string): AuthorizationServerMetadata {
  if (document['issuer'] !== issuer) {
    throw new Failure('refused', `The metadata of ${safe(issuer)} names another issuer`, {
      why: `It says ${safe(String(document['issuer']))}; a server that speaks for another could take its codes.`,
      fix: 'Whoever runs it makes issuer and address the same, byte for byte',
    });
  }
  for (const name of ['authorization_endpoint', 'token_endpoint'] as const)
    if (typeof document[name] !== 'string' || !URL.canParse(document[name])) throw new Failure('refused', `The metadata of ${safe(issuer)} has no ${name}`);
  const methods = document['code_challenge_methods_supported'];
  if (!Array.isArray(methods) || !methods.includes('S256')) {
    throw new Failure('refused', `${safe(issuer)} does not offer PKCE with S256`, { why: 'Without it a code that leaks can be redeemed by anybody.' });
  }
  // The endpoints are checked above; what else is read is read with a default.
  const responseTypes = document['response_types_supported'];
  return { ...document, response_types_supported: Array.isArray(responseTypes) ? responseTypes : ['code'] } as AuthorizationServerMetadata;
}
