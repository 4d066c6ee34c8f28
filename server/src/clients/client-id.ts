/**
 * Reads a client_id by its form alone: one of ours, or the https address of a metadata document (CIMD, "Client Identifier"). Pure; nothing is looked up or fetched,
 * so this may run before anybody has signed in (CIMD-20).
 */

export type ClientIdForm =
  | { kind: 'registered' }
  | { kind: 'document'; url: string }
  /** Looks like an address and may not be one. `reason` is a constant text. */
  | { kind: 'refused'; reason: string };

/** From `options.clients`: what the operator allows of document addresses. */
export type ClientIdPolicy = { documentQuery: boolean; documentHosts: { allow?: string[] | undefined; deny: string[] } };

const maxLength = 2048;
const rfc3986Path = /^https:\/\/[^/?#]+(\/(?:[A-Za-z0-9\-._~:/[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(\?.*)?$/;
const dotSegment = /(^|\/)(\.|%2e){1,2}(\/|$)/i;

/**
 * The scheme must be `https` in lower case; anything else is looked up as an id of ours and not found. An address must already be in the normal form of the WHATWG
 * parser: host in lower case and ASCII, no default port. So two spellings are never one client (CIMD-18), and no two parsers see different hosts.
 */
export function inspectClientId(clientId: string, policy: ClientIdPolicy): ClientIdForm {
  if (!clientId.startsWith('https://')) return { kind: 'registered' };
  if (clientId.length > maxLength) return refused('The client_id is longer than 2048 characters');
  const [, path, query] = rfc3986Path.exec(clientId) ?? [];
  if (path === undefined) return refused('The client_id must be a plain https address with a path');
  if (dotSegment.test(path)) return refused('The client_id must not have dot segments');
  if (query !== undefined && !policy.documentQuery) return refused('The client_id must not have a query');
  if (!URL.canParse(clientId)) return refused('The client_id must be a plain https address with a path');
  const url = new URL(clientId);
  if (url.username || url.password) return refused('The client_id must not contain userinfo');
  if (url.href !== clientId) return refused('The client_id must be written in normal form');
  if (!hostAllowed(url.hostname, policy.documentHosts)) return refused('Apps of this host are not allowed here');
  return { kind: 'document', url: clientId };
}

/** CIMD-19: an entry is a host, or `*.example.com` for everything below it. Denied wins. */
function hostAllowed(host: string, { allow, deny }: ClientIdPolicy['documentHosts']): boolean {
  const isIn = (entries: string[]) => entries.some((entry) => (entry.startsWith('*.') ? host.endsWith(entry.slice(1)) : host === entry));
  return !isIn(deny) && (allow === undefined || isIn(allow));
}

function refused(reason: string): ClientIdForm {
  return { kind: 'refused', reason };
}
