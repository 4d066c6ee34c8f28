/**
 * How the client reaches addresses that a server named (MCP best practices, SSRF): https, or http on this computer when the MCP server is here too; no private
 * address unless the MCP server has one; the name is resolved once and that answer is connected to; every hop is checked; size and time are bounded.
 */
import { promises as dns } from 'node:dns';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { isPublicAddress } from 'auth-agent-mcp-server/node';
import { Failure } from '../exit-codes.ts';
import { safe } from '../terminal.ts';

export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;
type Address = { address: string; family: number };
export type Guard = {
  /** The MCP server the person chose. */
  home: URL;
  /** The person allowed private addresses. */
  allowPrivate?: boolean;
  /** Resolves a name to all its addresses; the system resolver unless given. */
  lookup?: (hostname: string) => Promise<Address[]>;
};

const maxHops = 3;
const maxBytes = 256 * 1024;
const timeoutMs = 15_000;

/** Makes a fetch for metadata, registration and token requests. @throws {Failure} refused for a forbidden address, unreachable when nobody answers. */
export function guardedFetch(guard: Guard): Fetch {
  return async (address, init = {}) => {
    let url = new URL(address);
    for (let hop = 0; ; hop++) {
      const response = await exchange(url, await vetted(url, guard), init);
      const location = response.headers.get('location');
      const follows = (init.method ?? 'GET') === 'GET' && init.redirect !== 'manual';
      if (!follows || location === null || response.status < 300 || response.status > 399) return response;
      if (hop === maxHops) throw refused(url, `it redirects more than ${maxHops} times`);
      url = new URL(location, url);
    }
  };
}

/** http is for this computer only: there, nobody is between. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || /^127(\.\d+){3}$/.test(hostname) || hostname === '[::1]';
}

async function vetted(url: URL, { home, allowPrivate = false, lookup = systemLookup }: Guard): Promise<Address[]> {
  if (url.username || url.password) throw refused(url, 'it has a user name in it');
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url) && isLoopback(home))) throw refused(url, 'it is not https');
  const found = await addressesOf(url, lookup);
  if (allowPrivate || found.every(({ address }) => isPublicAddress(address))) return found;
  const homeFound = await addressesOf(home, lookup);
  if (homeFound.every(({ address }) => !isPublicAddress(address))) return found;
  throw refused(url, 'it is a private address, and the MCP server is not');
}

async function addressesOf({ hostname }: URL, lookup: NonNullable<Guard['lookup']>): Promise<Address[]> {
  const literal = hostname.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0) return [{ address: literal, family: isIP(literal) }];
  const found = await lookup(hostname).catch(() => []);
  if (found.length === 0) throw new Failure('unreachable', `${safe(hostname)} has no address`, { fix: 'Check the name and the network' });
  return found;
}

const systemLookup = (hostname: string): Promise<Address[]> => dns.lookup(hostname, { all: true });

function exchange(url: URL, addresses: Address[], { method = 'GET', headers, body }: RequestInit): Promise<Response> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(new Failure('unreachable', `${safe(url.origin)} does not answer`, { why: cause instanceof Error ? safe(cause.message) : undefined, cause }));
    const signal = AbortSignal.timeout(timeoutMs);
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const sent = send(url, { method, signal, agent: false, headers: Object.fromEntries(new Headers(headers)), lookup: pinned(addresses) }, async (answer) => {
      try {
        const chunks: Buffer[] = [];
        let size = 0;
        for await (const chunk of answer as AsyncIterable<Buffer>) {
          size += chunk.length;
          if (size > maxBytes) throw new Error('the answer is too large');
          chunks.push(chunk);
        }
        resolve(responseOf(answer.statusCode ?? 500, answer.headersDistinct, Buffer.concat(chunks)));
      } catch (cause) {
        sent.destroy();
        fail(cause);
      }
    });
    sent.on('error', fail);
    sent.end(body === undefined || body === null ? undefined : String(body));
  });
}

type Lookup = NonNullable<Parameters<typeof httpRequest>[0] & object> extends infer Options ? (Options extends { lookup?: infer L } ? L : never) : never;

/** Host and certificate name stay those of the URL; only "which address" is answered with what was vetted. */
function pinned(addresses: Address[]): Lookup {
  return ((_host: string, options: { all?: boolean }, done: (error: null, found: Address[] | string, family?: number) => void) =>
    options.all ? done(null, addresses) : done(null, addresses[0]?.address ?? '', addresses[0]?.family)) as Lookup;
}

function responseOf(status: number, headers: NodeJS.Dict<string[]>, body: Buffer): Response {
  const list = Object.entries(headers).flatMap(([name, values]) => (values ?? []).map((value): [string, string] => [name, value]));
  return new Response(status === 204 || status === 304 ? null : new Uint8Array(body), { status: status < 200 ? 500 : status, headers: list });
}

function refused(url: URL, why: string): Failure {
  return new Failure('refused', `The address ${safe(url.origin + url.pathname)} is not opened`, {
    why: `A server named it, and ${why}.`,
    fix: 'Ask who runs the server; a private one of your own needs AUTH_AGENT_CLIENT_ALLOW_PRIVATE=1',
  });
}
