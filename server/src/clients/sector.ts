/**
 * Under which subject a client knows a person (OIDC Core §8): the account's own id, or one that only clients of the same sector share. Access tokens always
 * carry the account's id, because they are for MCP servers and not for the client.
 */
import type { Context } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { deviceCodeGrant } from '../rules/device-grant.ts';
import { parseStrictJson } from '../rules/strict-json.ts';
import type { Client, ClientMetadata } from '../storage/store.ts';
import { waitForStranger } from './flights.ts';
import { redirectHosts } from './openid-metadata.ts';

/** The `sub` of ID tokens and userinfo. Stable as long as sector, issuer and instance secret are; nobody without the secret can turn it back (§8.1). */
export function subjectFor({ id, metadata }: Client, userId: string, context: Context): string {
  if (metadata.subjectType !== 'pairwise') return userId;
  return `pw_${context.instance.mac('pairwise subject', context.issuer, sectorOf(id, metadata), userId)}`;
}

/**
 * §8.1: the host of the sector document, else that of the redirect URIs. Programs and devices get their answers where no host vouches for them, and may name any:
 * each such registration is a sector.
 */
function sectorOf(clientId: string, { sectorIdentifierUri, redirectUris, grantTypes }: ClientMetadata): string {
  const isOnTheWeb = redirectUris.length > 0 && redirectUris.every((uri) => uri.startsWith('https://'));
  if (!isOnTheWeb || grantTypes.includes(deviceCodeGrant)) return clientId;
  if (sectorIdentifierUri !== undefined) return new URL(sectorIdentifierUri).host;
  const [host] = redirectHosts(redirectUris);
  return host ?? clientId;
}

/**
 * OIDC Registration §5: "The values of the registered redirect_uris MUST be included in the elements of the array". Else anybody could join a stranger's sector.
 *
 * @throws {OAuthError} invalid_client_metadata when the document cannot be read or does not list them all · too_many_requests · temporarily_unavailable
 */
export async function checkSector({ sectorIdentifierUri, redirectUris }: ClientMetadata, { limits, options }: Context): Promise<void> {
  if (sectorIdentifierUri === undefined) return;
  const text = 'Too many sector documents were fetched, wait before trying again';
  // Without the port: one host has 65535 of those.
  await limits.check('sector.host', new URL(sectorIdentifierUri).hostname, text);
  await limits.check('sector', undefined, text);
  const listed = await waitForStranger('new', () => listedIn(sectorIdentifierUri, options.fetchDocument));
  if (!redirectUris.every((uri) => listed.includes(uri)))
    throw new OAuthError('invalid_client_metadata', 'The document at sector_identifier_uri does not list every redirect URI');
}

async function listedIn(url: string, fetchDocument: Context['options']['fetchDocument']): Promise<unknown[]> {
  try {
    const { status, body } = (await fetchDocument?.(url)) ?? { status: 0, body: new Uint8Array() };
    const value = status === 200 ? parseStrictJson(new TextDecoder().decode(body))?.value : undefined;
    if (Array.isArray(value)) return value;
  } catch (cause) {
    throw new OAuthError('invalid_client_metadata', 'The document at sector_identifier_uri could not be read', { cause });
  }
  throw new OAuthError('invalid_client_metadata', 'The document at sector_identifier_uri must be a JSON array');
}
