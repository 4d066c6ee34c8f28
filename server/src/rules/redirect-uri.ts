/**
 * Redirect URIs: which may be registered, and when a presented one is a registered one (OAuth 2.1 §2.3, RFC 8252 §7 and §8, RFC 9700 §4.1). Pure. A URI is read
 * twice, by the grammar of RFC 3986 and by the WHATWG parser that browsers use; where the two disagree about it, it is refused.
 * Not here: whether to redirect at all (authorize/), how the target is described to a person (views/redirect-target.ts).
 */

export type RedirectKind = 'https' | 'loopback' | 'custom-scheme';

/**
 * `dangerous`: nobody honest registers it, so the whole registration is refused. `unsupported`: harmless but not offered, so only this entry is dropped (D11).
 * `reason` is a constant text, fit for an error description.
 */
export type RedirectUriClass = { kind: RedirectKind; refused?: undefined } | { refused: 'dangerous' | 'unsupported'; reason: string };

const maxLength = 2048;
/** RFC 3986 characters only, every % with two hex digits: no white space, controls, backslash, quotes or non-ASCII. `#` is absent on purpose. */
const rfc3986 = /^([A-Za-z][A-Za-z0-9+.-]*):((?:[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)$/;
/** authority, path and query of a URI that has an authority. */
const withAuthority = /^\/\/([^/?]*)([^?]*)(\?.*)?$/;
const hostAndPort = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]*))?$/;
const loopbackHosts = new Set(['127.0.0.1', '[::1]', 'localhost']);
const loopbackUri = /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(?::([1-9][0-9]{0,4}))?((?:[/?][^#]*)?)$/;
const wildcardPort = /^https?:\/\/[^/?#]*:\*/i;

/** Schemes that run code, read files or start programs when a browser is sent there, beyond the families matched by {@link dangerousFamily}. */
const dangerousSchemes = new Set(
  (
    'javascript data vbscript livescript mocha file filesystem blob about view-source ws wss ftp ftps sftp ssh telnet gopher ldap ldaps jar mhtml cid mid ' +
    'resource res content intent android-app shell smb nfs mailto tel sms callto facetime itms itms-apps market search search-ms steam edge opera brave'
  ).split(' '),
);
const dangerousFamily = /^(ms-|chrome|moz-|x-apple|safari-|web\+)/;
/** What the answer itself carries: an entry that brings its own would forge an answer (AZ-08). */
const answerParameters = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri'];

/**
 * Classifies a redirect URI that somebody wants to register. `dotlessSchemes` are the private-use schemes allowed without a dot (D10).
 *
 *     classifyRedirectUri('http://127.0.0.1/callback', []); // { kind: 'loopback' }
 */
export function classifyRedirectUri(uri: string, dotlessSchemes: readonly string[]): RedirectUriClass {
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*(?=:)/.exec(uri)?.[0]?.toLowerCase();
  if (scheme === undefined) return dangerous('A redirect URI must be absolute');
  if (dangerousSchemes.has(scheme) || dangerousFamily.test(scheme)) return dangerous('A redirect URI has a scheme that is never accepted');
  if (uri.includes('#')) return dangerous('A redirect URI must not have a fragment');
  if (wildcardPort.test(uri)) return unsupported('A wildcard port matches nothing; leave the port out and any port matches on loopback');
  const parts = rfc3986.exec(uri);
  if (!parts || !URL.canParse(uri)) return dangerous('A redirect URI has a character or form that is not allowed');
  if (uri.length > maxLength) return unsupported('A redirect URI is longer than 2048 characters');
  const url = new URL(uri);
  if (answerParameters.some((name) => url.searchParams.has(name)))
    return dangerous('A redirect URI must not carry parameters of the answer, such as code or state');
  if (scheme === 'https' || scheme === 'http') return classifyHttp(uri, parts[2] ?? '', url);
  return classifyPrivateUse(parts[1] ?? '', parts[2] ?? '', url, dotlessSchemes);
}

/**
 * OAuth 2.1 §2.3.1: simple string comparison, nothing normalised. The one exception is RFC 8252 §7.3 (D1, AZ-07): "The authorization server MUST allow any port to
 * be specified at the time of the request for loopback IP redirect URIs" — here also for `localhost`, and whether or not a port was registered.
 */
export function matchesRegistered(presented: string, registered: string): boolean {
  if (wildcardPort.test(registered)) return false;
  if (presented === registered) return true;
  const wanted = loopbackUri.exec(presented);
  const known = wanted && loopbackUri.exec(registered);
  if (!wanted || !known) return false;
  return wanted[1] === known[1] && wanted[3] === known[3] && Number(wanted[2] ?? 1) <= 65535;
}

/** AZ-05: the URI to use when a request names none. Only a sole registered entry will do, and a loopback entry without a port names no place to go to. */
export function concreteRedirect(registered: readonly string[]): string | undefined {
  const [only] = registered;
  if (only === undefined || registered.length > 1 || wildcardPort.test(only)) return undefined;
  const loopback = loopbackUri.exec(only);
  return loopback && loopback[2] === undefined ? undefined : only;
}

/** The class of an accepted redirect URI: who could receive the answer. Any program on the machine may take a loopback port or claim a private-use scheme (D13). */
export function redirectClass(uri: string): RedirectKind {
  if (uri.startsWith('https://')) return 'https';
  return loopbackUri.test(uri) ? 'loopback' : 'custom-scheme';
}

function classifyHttp(uri: string, rest: string, url: URL): RedirectUriClass {
  // `https:host` and `https:///host` are one thing to a browser and another to RFC 3986.
  const authority = withAuthority.exec(rest)?.[1] ?? '';
  if (authority.includes('@')) return dangerous('A redirect URI must not contain userinfo');
  const [, host = '', port] = hostAndPort.exec(authority) ?? [];
  if (host === '' || host.toLowerCase() !== url.hostname) return dangerous('A redirect URI must name its host in plain form');
  if (port !== undefined && !(/^[1-9][0-9]{0,4}$/.test(port) && Number(port) <= 65535))
    return unsupported('A redirect URI must have a port from 1 to 65535 or none');
  if (/^[A-Z]/.test(uri)) return unsupported('A redirect URI must have its scheme in lower case');
  if (url.protocol === 'https:') return { kind: 'https' };
  return loopbackHosts.has(host) ? { kind: 'loopback' } : dangerous('A redirect URI with http must be on localhost, 127.0.0.1 or [::1]');
}

/** RFC 8252 §7.1: private-use schemes are reverse domain names; §8.4: those without a dot SHOULD be refused. */
function classifyPrivateUse(scheme: string, rest: string, url: URL, dotlessSchemes: readonly string[]): RedirectUriClass {
  const authority = withAuthority.exec(rest)?.[1] ?? '';
  if (url.username || url.password || authority.includes('@')) return dangerous('A redirect URI must not contain userinfo');
  if (authority.includes('*')) return dangerous('A redirect URI must not have a wildcard in its host');
  if (scheme !== scheme.toLowerCase()) return unsupported('A redirect URI must have its scheme in lower case');
  if (dotlessSchemes.includes(scheme)) return { kind: 'custom-scheme' };
  if (!/^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+$/.test(scheme)) return unsupported('A private-use scheme must be a reverse domain name, such as com.example.app');
  return { kind: 'custom-scheme' };
}

const dangerous = (reason: string): RedirectUriClass => ({ refused: 'dangerous', reason });
const unsupported = (reason: string): RedirectUriClass => ({ refused: 'unsupported', reason });
