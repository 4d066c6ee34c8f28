/**
 * Finds out, from nothing but the address of an MCP server, whom to ask for its tokens: its challenge and its metadata (RFC 9728), then the metadata of the
 * authorization server it names (RFC 8414). Every address in there is a stranger's word and judged before it is used. Not here: the login itself.
 */
import { isLoopbackHost, pathAndQuery, resourceProblem } from './resource.ts';
import { isScopeToken } from './scope.ts';
import { call, type Members, parseLoosely, readIssuerMetadata, type Sender, TokenRequestRefused } from './token-endpoint.ts';

/** Whom to ask, and for what. */
export interface LoginTarget {
  readonly issuer: string;
  /** As the MCP server calls itself, byte for byte: what the tokens are for. */
  readonly resource: string;
  /** What it asks for; nothing when it does not say. */
  readonly scopes: readonly string[] | undefined;
  readonly metadata: Members;
}

const wellKnown = '/.well-known/oauth-protected-resource';

/**
 * Finds the authorization server of an MCP server.
 *
 * @throws {TokenRequestRefused} wrong_metadata, wrong_issuer, when what is found is for somebody else or nothing is found.
 * @throws {AuthServerUnavailable} when the authorization server cannot be asked.
 */
export async function findLoginTarget(url: string, sender: Sender): Promise<LoginTarget> {
  const challenge = await readChallenge(url, sender);
  const document = await findDocument(url, challenge.resource_metadata, sender);
  const { resource, authorization_servers: servers, scopes_supported: supported } = document;
  if (typeof resource !== 'string' || !speaksFor(resource, url)) throw wrong(`${url} is guarded by metadata that is for another server`);
  const issuer: unknown = Array.isArray(servers) ? servers[0] : undefined;
  if (typeof issuer !== 'string' || issuer.includes('?') || !isUsable(issuer, url)) throw wrong(`${url} names no usable authorization server`);
  const metadata = await readIssuerMetadata(issuer, sender);
  return { issuer, resource, scopes: scopesOf(challenge.scope?.split(' ')) ?? scopesOf(supported), metadata };
}

/** An address that a server on the net names must not lead to services of this computer, nor drive the terminal that shows it. */
export function isUsable(address: string, url: string): boolean {
  if (!/^[\x21-\x7E]+$/.test(address) || resourceProblem(address) !== undefined) return false;
  return !isLoopbackHost(new URL(address).hostname) || isLoopbackHost(new URL(url).hostname);
}

type Challenge = { readonly resource_metadata?: string; readonly scope?: string };

/** RFC 9728 §5.1. A server that answers anything but a challenge may still have metadata. */
async function readChallenge(url: string, { fetch, timeout }: Sender): Promise<Challenge> {
  try {
    const signal = AbortSignal.timeout(Math.ceil(timeout * 1000));
    const response = await fetch(url, { headers: { Accept: 'application/json, text/event-stream' }, redirect: 'manual', signal });
    await response.body?.cancel();
    const header = response.status === 401 ? (response.headers.get('www-authenticate') ?? '') : '';
    return Object.fromEntries([...header.matchAll(/\b(resource_metadata|scope)="([^"\\]*)"/g)].map(([, name, value]) => [name, value]));
  } catch {
    return {};
  }
}

/** MCP authorization: the address in the challenge, else the well-known one of the path, else that of the root. */
async function findDocument(url: string, named: string | undefined, sender: Sender): Promise<Members> {
  const { origin } = new URL(url);
  const rest = pathAndQuery(url).replace(/^\/(\?|$)/, '$1');
  const addresses = named !== undefined && isUsable(named, url) ? [named] : [...new Set([origin + wellKnown + rest, origin + wellKnown])];
  for (const address of addresses) {
    const { status, text } = await call(address, { headers: { Accept: 'application/json' } }, sender);
    const document = status === 200 ? parseLoosely(text) : {};
    if ('resource' in document) return document;
  }
  throw wrong(`${url} has no metadata of a protected resource`);
}

/** RFC 9728 §3.3, and the practice of clients: this very address, or one above it by whole path segments on the same origin. */
function speaksFor(resource: string, url: string): boolean {
  if (resourceProblem(resource) !== undefined || new URL(resource).origin !== new URL(url).origin) return false;
  const own = pathAndQuery(resource) || '/';
  const wanted = pathAndQuery(url) || '/';
  const path = wanted.replace(/\?.*$/s, '');
  return own === wanted || own === path || path.startsWith(own.endsWith('/') ? own : `${own}/`);
}

function scopesOf(value: unknown): readonly string[] | undefined {
  const scopes = Array.isArray(value) ? value.filter(isScopeToken) : [];
  return scopes.length > 0 ? scopes : undefined;
}

function wrong(what: string): TokenRequestRefused {
  return new TokenRequestRefused('wrong_metadata', what);
}
