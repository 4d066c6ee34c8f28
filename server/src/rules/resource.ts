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
