/**
 * What the authorization server has registered about this MCP server: its resource identifier and scopes, read from the RFC 9728 document it publishes for
 * `serverId`. Fetched once an hour, single flight; while the authorization server is down the last known document stays good.
 */
import { getDocument } from './authorization-server.ts';
import { AuthServerUnavailable } from './errors.ts';
import { createFlights } from './flights.ts';
import { quoteForLog } from './hints.ts';
import type { Settings } from './options.ts';
import { canonicalResource, resourceProblem } from './resource.ts';
import { isScopeToken } from './scope.ts';

/** What is registered for `serverId`. */
export interface ServerMetadata {
  /** Canonical identifier, the `aud` of its tokens. */
  readonly resource: string;
  readonly scopes: readonly string[];
  /** As people read it on the consent page. */
  readonly name?: string;
}

const freshSeconds = 3600;
const retrySeconds = 30;

/** Path of the document below the issuer. */
export function serverMetadataPath(serverId: string): string {
  return `/.well-known/oauth-protected-resource/${serverId}`;
}

/** Makes the reader of the registered metadata. It rejects with AuthServerUnavailable only while nothing was ever read. */
export function createServerMetadata(settings: Settings): () => Promise<ServerMetadata> {
  let known: { metadata: ServerMetadata; until: number } | undefined;
  const flights = createFlights<ServerMetadata>(settings.timeout);

  async function refresh(): Promise<ServerMetadata> {
    try {
      const metadata = judge(await getDocument(serverMetadataPath(settings.serverId), settings), settings);
      known = { metadata, until: settings.now() + freshSeconds };
      return metadata;
    } catch (error) {
      if (!known) throw error;
      known.until = settings.now() + retrySeconds;
      return known.metadata;
    }
  }

  return async function serverMetadata() {
    if (known && settings.now() < known.until) return known.metadata;
    return flights.join('metadata', refresh, settings.now());
  };
}

function judge(document: Readonly<Record<string, unknown>>, settings: Settings): ServerMetadata {
  const { resource, authorization_servers: servers, scopes_supported: scopes, resource_name: name } = document;
  if (typeof resource !== 'string' || resourceProblem(resource)) throw refused(`names no usable resource: ${quoteForLog(resource)}`, settings);
  // PRM-10: byte for byte. Another issuer here means another server than the one we were told to trust.
  if (!Array.isArray(servers) || !servers.includes(settings.issuer))
    throw refused(`names other authorization servers: ${quoteForLog(servers)}. "authServerUrl" must be one of them, to the letter.`, settings);
  if (settings.resource !== undefined && canonicalResource(settings.resource) !== canonicalResource(resource)) {
    settings.hint(`"resource" is ${settings.resource}, but ${settings.serverId} is registered as ${quoteForLog(resource)}: tokens will be refused.`);
  }
  return Object.freeze({
    resource,
    scopes: Object.freeze(Array.isArray(scopes) ? scopes.filter(isScopeToken) : []),
    ...(typeof name === 'string' && name !== '' && { name }),
  });
}

function refused(what: string, settings: Settings): AuthServerUnavailable {
  settings.hint(`the document about ${settings.serverId} at ${settings.issuer} ${what}`);
  return new AuthServerUnavailable('server_metadata');
}
