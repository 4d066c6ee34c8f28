/**
 * Canonical resource identifiers (RFC 8707 §2, RFC 9728 §1.2): one spelling per MCP server, so that a trailing slash never decides whether a client connects.
 */

/**
 * The canonical form: scheme and host in lower case, no default port, no slash at the bare root (contracts §7.11). The path stays byte for byte, because
 * `/mcp` and `/mcp/` may be two servers. Undefined when the value is not an absolute http(s) URI without fragment and userinfo.
 */
export function canonicalResource(value: string): string | undefined {
  const parts = /^(https?):\/\/([^/?#@\\\s]+)([^#\\\s]*)$/i.exec(value);
  if (!parts || value.length > 2048 || !/^[\x21-\x7e]+$/.test(value) || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  if (url.username || url.password) return undefined;
  const rest = parts[3] ?? '';
  // Dot segments would be read differently by different parsers: not ours to guess.
  if (/(^|\/)(\.|%2e){1,2}(\/|\?|$)/i.test(rest.split('?', 1)[0] ?? '')) return undefined;
  return url.origin + (rest === '/' ? '' : rest);
}

/** The same resource with and without the slash of a bare root: what a resource server accepts as `aud` (D3). */
export function resourceTwins(canonical: string): string[] {
  return URL.canParse(canonical) && new URL(canonical).pathname === '/' && !canonical.endsWith('/') ? [canonical, `${canonical}/`] : [canonical];
}

/** Where an MCP server usually is below its host. */
const usualPaths = ['/mcp', '/mcp/', '/sse'];

/** What was probably meant by a canonical resource that nobody registered, likeliest first, each with the sentence that says the difference. At most ten. */
export function otherSpellings(canonical: string): { spelling: string; said: string }[] {
  const { origin, protocol, host, pathname, search } = new URL(canonical);
  const path = pathname === '/' ? '' : pathname;
  const swapped = `${protocol === 'https:' ? 'http' : 'https'}://${host}`;
  const parents = path.split('/').slice(1, -1).slice(0, 3);
  const guesses: [string, string][] = [
    [origin + (path.endsWith('/') ? path.slice(0, -1) : `${path}/`), 'A slash at the end makes another address.'],
    [swapped + path, 'http and https are two addresses.'],
    ...(search === '' ? [] : ([[origin + path, 'The query is part of the address.']] as [string, string][])),
    ...usualPaths.map((usual): [string, string] => [origin + usual, 'The path is part of the address.']),
    ...parents.map((_, index): [string, string] => [`${origin}/${parents.slice(0, index + 1).join('/')}`, 'The path is part of the address.']),
    [origin, 'The path is part of the address.'],
  ];
  const seen = new Set([canonical]);
  return guesses
    .map(([guess, said]) => ({ spelling: canonicalResource(guess) ?? canonical, said }))
    .filter(({ spelling }) => !seen.has(spelling) && seen.add(spelling));
}

/** Why no token is for two: one of them could pass it on to the other. */
export const oneTokenOneResource = 'A token is for one resource: ask once for each';
