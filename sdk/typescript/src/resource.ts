/**
 * The identifier of the MCP server we stand before, and the audiences that mean it (RFC 8707 §2, RFC 9728 §1.2, D3).
 * Tokens carry the canonical registered form; the only laxness is the slash of a bare root.
 */

/** Whether plain http is acceptable because nothing leaves this machine. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Says what is wrong with a resource identifier, or nothing: absolute https (http on loopback), no fragment, userinfo or dot segments. */
export function resourceProblem(value: string): string | undefined {
  if (!/^https?:\/\/[^/?#@\\\s]+([/?][^#\\\s]*)?$/i.test(value) || !URL.canParse(value)) return 'must be an absolute URL without fragment and userinfo';
  const url = new URL(value);
  if (url.protocol !== 'https:' && !isLoopbackHost(url.hostname)) return 'must be https (http is for loopback only)';
  if (/(^|\/)(\.|%2e){1,2}(\/|\?|$)/i.test(pathAndQuery(value))) return 'must not contain dot segments';
  return undefined;
}

/** Canonical form: scheme and host in lower case, no default port, no slash at a bare root; the path stays byte for byte, because `/mcp` and `/mcp/` may be two servers. */
export function canonicalResource(value: string): string {
  const rest = pathAndQuery(value);
  return new URL(value).origin + (rest === '/' ? '' : rest);
}

/** RS-08: the exact strings that name us in `aud`: our canonical identifier, and for a bare origin its twin with the slash. */
export function acceptedAudiences(resource: string): ReadonlySet<string> {
  const canonical = canonicalResource(resource);
  return new Set(pathAndQuery(canonical) === '' ? [canonical, `${canonical}/`] : [canonical]);
}

/** What follows the authority, byte for byte as it was written. */
export function pathAndQuery(value: string): string {
  return /^https?:\/\/[^/?#]+([^#]*)/i.exec(value)?.[1] ?? '';
}
