/**
 * Which authorization server guards an MCP server: protected resource metadata (RFC 9728), found where the challenge says, else at the two well-known
 * addresses. A document that speaks for another resource is refused: it would have us fetch a token for somebody else.
 */
import { Failure } from '../exit-codes.ts';
import { safe } from '../terminal.ts';
import { type Fetch, isLoopback } from './guarded-fetch.ts';

export type ResourceMetadata = {
  resource: string;
  authorizationServers: string[];
  scopesSupported?: string[] /** Only tokens bound to a key are accepted (RFC 9728 §2). */;
  onlyBound?: boolean;
};

/** Reads the document; undefined when the server has none. @throws {Failure} refused when it is for another resource. */
export async function findResourceMetadata(mcpUrl: URL, named: string | undefined, fetch: Fetch): Promise<ResourceMetadata | undefined> {
  for (const address of metadataAddresses(mcpUrl, named)) {
    const document = await readDocument(address, fetch);
    if (!document) continue;
    const { resource, authorization_servers: servers, scopes_supported: scopes } = document;
    if (typeof resource !== 'string' || !resourceFits(resource, mcpUrl)) throw foreign(String(resource), mcpUrl);
    const onlyBound = document['dpop_bound_access_tokens_required'] === true;
    return { resource, authorizationServers: strings(servers) ?? [], scopesSupported: strings(scopes), onlyBound };
  }
  return undefined;
}

/** MCP authorization, "Protected Resource Metadata Discovery": the challenge wins; one that is not https off this computer is as good as none. */
export function metadataAddresses(mcpUrl: URL, named: string | undefined): URL[] {
  const given = named !== undefined && URL.canParse(named) ? new URL(named) : undefined;
  if (given && (given.protocol === 'https:' || (given.protocol === 'http:' && isLoopback(given) && isLoopback(mcpUrl)))) return [given];
  const root = new URL('/.well-known/oauth-protected-resource', mcpUrl);
  const path = mcpUrl.pathname.replace(/\/$/, '');
  return path === '' ? [root] : [new URL(`${root.pathname}${path}${mcpUrl.search}`, mcpUrl), root];
}

/** RFC 9728 §3.3, and the practice of the SDKs: the same address, or a parent of it by whole path segments on the same origin. */
export function resourceFits(resource: string, mcpUrl: URL): boolean {
  if (!URL.canParse(resource)) return false;
  const { origin, pathname, search, hash, username } = new URL(resource);
  if (origin !== mcpUrl.origin || origin === 'null' || hash !== '' || username !== '' || (search !== '' && search !== mcpUrl.search)) return false;
  const parent = pathname.replace(/\/$/, '');
  return mcpUrl.pathname === parent || mcpUrl.pathname.startsWith(`${parent}/`);
}

/** A JSON object, or undefined when there is none at this address. What the guard refuses stays refused. */
export async function readDocument(address: URL, fetch: Fetch): Promise<Record<string, unknown> | undefined> {
  try {
    const response = await fetch(address, { headers: { Accept: 'application/json' } });
    if (response.status !== 200) return undefined;
    const document: unknown = await response.json();
    return typeof document === 'object' && document !== null && !Array.isArray(document) ? (document as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof Failure && error.exit === 'refused') throw error;
    return undefined;
  }
}

function strings(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined;
}

function foreign(resource: string, mcpUrl: URL): Failure {
  return new Failure('refused', `The metadata is for ${safe(resource)}, not for ${mcpUrl.href}`, {
    why: 'A token for it would be a token for somebody else.',
    fix: `Whoever runs the server registers it under the address that people connect to: auth-agent servers add ${mcpUrl.href}`,
  });
}
