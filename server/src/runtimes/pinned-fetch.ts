/**
 * Fetches a document from a stranger's address without becoming a stranger's hand (CIMD, "SSRF"; RFC 6890): resolves the name once, refuses if any of its addresses is
 * special-use, connects to exactly the vetted addresses, and bounds size and time. No redirect is followed, nothing about us is sent.
 * An upstream that an operator listed is spoken to under the same guard. Not here: when to fetch and what to believe (clients/metadata-document.ts, upstream/).
 */
import { promises as dns } from 'node:dns';
import { type IncomingMessage, request as requestInClear } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { BlockList, isIP } from 'node:net';
import { FetchFailure } from '../clients/fetch-failure.ts';
import type { DocumentFetcher, FormPoster, UpstreamFetch } from '../options.ts';

export type Address = { address: string; family: number };
export type PinnedFetchOptions = {
  /** Development only (CIMD-04): names that resolve to loopback, and to nothing else, may be fetched too; other private addresses never. */
  dangerouslyAllowLoopback?: boolean;
  /** Milliseconds for everything, from the first question to the last byte. */
  timeoutMs?: number;
  /** Milliseconds until the TLS handshake is done. */
  connectTimeoutMs?: number;
  /** At most 64 KiB (CIMD-06). */
  maxBytes?: number;
  userAgent?: string;
  /** Certificates to trust instead of the process's own, in PEM. */
  ca?: string;
  /**
   * Resolves a name to all its addresses. Unless given, names of strangers are asked of the name servers, and those of upstreams and of development of the system.
   */
  lookup?: Lookup;
};
type Lookup = (hostname: string) => Promise<Address[]>;
type Settings = Required<Omit<PinnedFetchOptions, 'ca'>> & Pick<PinnedFetchOptions, 'ca'>;
type Answer = Awaited<ReturnType<DocumentFetcher>>;

/** CIMD-06. */
const maxBytes = 64 * 1024;

const defaults: Omit<Settings, 'lookup'> = {
  dangerouslyAllowLoopback: false,
  timeoutMs: 5000,
  connectTimeoutMs: 2000,
  maxBytes: 5 * 1024,
  userAgent: 'auth-agent-mcp',
};

/** What an operator listed may be in /etc/hosts, or wherever else the system looks. */
const askSystem: Lookup = (hostname) => dns.lookup(hostname, { all: true, verbatim: true });

/**
 * getaddrinfo holds a thread of the pool, which files and passwords share, for as long as the name's servers like; a question to the name servers holds none.
 * An address of one family is enough: servers that cannot answer for the other are common.
 */
const askNameServers: Lookup = async (hostname) => {
  // RFC 6761 §6.3: such names are not for name servers to answer.
  if (/(^|\.)localhost\.?$/.test(hostname)) return [{ address: '127.0.0.1', family: 4 }];
  const resolver = new dns.Resolver({ timeout: 800, tries: 2 });
  const [four, six] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  if (four.status === 'rejected' && six.status === 'rejected') throw four.reason;
  return [...addressesOf(four, 4), ...addressesOf(six, 6)];
};

function addressesOf(asked: PromiseSettledResult<string[]>, family: number): Address[] {
  return asked.status === 'fulfilled' ? asked.value.map((address) => ({ address, family })) : [];
}

/** IANA special-purpose IPv4 blocks, with multicast, 6to4 relays and what is reserved. */
const special4 = blockList(
  'ipv4',
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 ' +
    '192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4',
);
/** IPv6 is allowed by the global unicast block: what is not in it (mapped, NAT64, ULA, link-local, multicast …) needs no list. */
const global6 = blockList('ipv6', '2000::/3');
/** Protocol assignments with Teredo and ORCHID, documentation, 6to4, AS112. */
const special6 = blockList('ipv6', '2001::/23 2001:db8::/32 2002::/16 3fff::/20 2620:4f:8000::/48');
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether an address is on the public internet. Text that is no address is not. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special4.check(address, 'ipv4');
  return family === 6 && global6.check(address, 'ipv6') && !special6.check(address, 'ipv6');
}

/**
 * Makes a fetcher for `options.fetchDocument`. It answers 200 within the limits and rejects with {@link FetchFailure} on everything else.
 *
 * @throws {TypeError} when a limit is not a positive number, or maxBytes is above 64 KiB.
 */
export function pinnedFetcher(options: PinnedFetchOptions = {}): DocumentFetcher {
  const settings = checked(options);
  return (address, limits = {}) => {
    const asked = { ...settings, maxBytes: Math.min(limits.maxBytes ?? settings.maxBytes, maxBytes) };
    return withinTime(settings.timeoutMs, (signal) => fetchPinned(address, asked, signal));
  };
}

/**
 * Makes a poster for `options.postForm`: the same guard, a form instead of a question. It resolves to whatever status comes, and reads no answer.
 *
 * @throws {TypeError} as {@link pinnedFetcher}.
 */
export function pinnedPoster(options: PinnedFetchOptions = {}): FormPoster {
  const settings = checked(options);
  return async (address, form) => {
    try {
      const { status } = await withinTime(settings.timeoutMs, (signal) => fetchPinned(address, { ...settings, form }, signal));
      return { status };
    } catch (error) {
      if (!(error instanceof FetchFailure)) throw error;
      if (error.kind === 'status' && error.status !== undefined) return { status: error.status };
      // Only the body of a 200 is looked at, and here nobody wants it.
      if (error.kind === 'too-large' || error.kind === 'encoding') return { status: 200 };
      throw error;
    }
  };
}

/**
 * Makes a fetch for `options.fetchUpstream`: any method, header and status. It rejects with {@link FetchFailure} when there is no whole answer within 64 KiB and
 * ten seconds. What an operator says is in a private network may have any address; only loopback may do without TLS.
 *
 * @throws {TypeError} as {@link pinnedFetcher}.
 */
export function pinnedUpstreamFetch(options: PinnedFetchOptions = {}): UpstreamFetch {
  const settings = checked({ timeoutMs: 10_000, maxBytes, lookup: askSystem, ...options });
  return async (address, { privateNetwork, ...sent }) => {
    const asked: Sending = { ...settings, sent, privateNetwork };
    const { status, headers, body } = await withinTime(settings.timeoutMs, (signal) => fetchPinned(address, asked, signal));
    if (status < 200 || status > 599) throw new FetchFailure('status', 'not a final status', { status });
    return new Response([204, 205, 304].includes(status) ? null : Buffer.from(body), { status, headers });
  };
}

function checked(options: PinnedFetchOptions): Settings {
  const settings: Settings = { ...defaults, lookup: options.dangerouslyAllowLoopback ? askSystem : askNameServers, ...options };
  for (const name of ['timeoutMs', 'connectTimeoutMs', 'maxBytes'] as const) {
    if (!(settings[name] > 0)) throw new TypeError(`"${name}" must be a positive number`);
  }
  if (settings.maxBytes > maxBytes) throw new TypeError('"maxBytes" must be at most 65536');
  return settings;
}

/** With `form` a POST; with `sent` whatever that says, and any status is an answer. */
type Sending = Settings & { form?: string; sent?: { method: string; headers: Record<string, string>; body?: string }; privateNetwork?: boolean };

async function fetchPinned(address: string, settings: Sending, signal: AbortSignal): Promise<Answer> {
  const url = plainUrl(address, settings);
  const vetted = await vet(url, settings);
  if (signal.aborted) throw signal.reason;
  return exchange(url, vetted, settings, signal);
}

function plainUrl(address: string, { privateNetwork }: Sending): URL {
  if (!URL.canParse(address)) throw refused('not a URL');
  const url = new URL(address);
  const spoken = url.protocol === 'https:' || (privateNetwork && url.protocol === 'http:');
  if (!spoken || url.username || url.password) throw refused('not a plain https URL');
  return url;
}

/** Every address must pass, not only the one we would take: a name with a public and a private address is how rebinding begins. */
async function vet({ hostname, protocol }: URL, { lookup, dangerouslyAllowLoopback, privateNetwork }: Sending): Promise<Address[]> {
  const literal = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  const family = isIP(literal);
  const addresses = family === 0 ? await resolve(hostname, lookup) : [{ address: literal, family }];
  if (addresses.length === 0) throw new FetchFailure('transport', 'the name has no address');
  if (protocol === 'http:' && !addresses.every(isLoopbackAddress)) throw refused('http off loopback');
  if (privateNetwork || addresses.every(({ address }) => isPublicAddress(address))) return addresses;
  if (dangerouslyAllowLoopback && addresses.every(isLoopbackAddress)) return addresses;
  throw refused('the host has an address that is not public');
}

async function resolve(hostname: string, lookup: Settings['lookup']): Promise<Address[]> {
  try {
    return await lookup(hostname);
  } catch (cause) {
    throw new FetchFailure('transport', 'the name does not resolve', { cause });
  }
}

function isLoopbackAddress({ address }: Address): boolean {
  const family = isIP(address);
  // A mapped address would match the IPv4 rule; it is refused like every other way to spell loopback.
  return family === 4 ? loopback.check(address, 'ipv4') : address === '::1';
}

function exchange(url: URL, vetted: Address[], settings: Sending, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolveAnswer, reject) => {
    const fail = (failure: FetchFailure) => {
      reject(failure);
      sent.destroy();
    };
    let answered = false;
    const inClear = url.protocol === 'http:';
    const sent = (inClear ? requestInClear : request)(url, requestOptions(vetted, settings, inClear));
    const connecting = setTimeout(() => fail(new FetchFailure('timeout', 'no connection in time')), settings.connectTimeoutMs);
    const late = () => fail(signal.reason as FetchFailure);
    signal.addEventListener('abort', late, { once: true });
    sent.on('socket', (socket) => socket.once(inClear ? 'connect' : 'secureConnect', () => clearTimeout(connecting)));
    sent.on('error', (cause) => reject(new FetchFailure('transport', 'the connection failed', { cause })));
    sent.on('response', (response) => {
      answered = true;
      readAnswer(response, settings).then(resolveAnswer, fail);
    });
    sent.on('close', () => {
      clearTimeout(connecting);
      signal.removeEventListener('abort', late);
      // With an answer, whoever reads it sees how it ended; "close" may come first.
      if (!answered) reject(new FetchFailure('transport', 'the connection closed early'));
    });
    sent.end(settings.form ?? settings.sent?.body);
  });
}

/** Host and SNI stay those of the URL; only the question "which address" is answered here, with what was vetted. */
function requestOptions(vetted: Address[], { userAgent, ca, form, sent }: Sending, inClear: boolean): RequestOptions {
  const [first] = vetted as [Address, ...Address[]];
  const plain = { accept: 'application/json', ...sent?.headers, 'accept-encoding': 'identity', 'user-agent': userAgent };
  return {
    method: sent?.method ?? (form === undefined ? 'GET' : 'POST'),
    agent: inClear ? false : new Agent({ keepAlive: false }),
    headers: {
      ...plain,
      ...(form === undefined ? {} : formHeaders(form)),
      ...(sent?.body === undefined ? {} : { 'content-length': Buffer.byteLength(sent.body) }),
    },
    lookup: (_hostname, options, callback) => {
      if (options.all) callback(null, vetted);
      else callback(null, first.address, first.family);
    },
    ...(ca === undefined ? {} : { ca }),
  };
}

function formHeaders(form: string): Record<string, string | number> {
  return { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(form) };
}

/** @throws {FetchFailure} status, encoding, too-large, transport */
async function readAnswer(response: IncomingMessage, { maxBytes, sent }: Sending): Promise<Answer> {
  const { statusCode: status = 0, headers } = response;
  if (status !== 200 && !sent) throw new FetchFailure('status', 'not 200', { status });
  // A compressed answer would be small here and large after: it was asked not to be, so it is not opened.
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') throw new FetchFailure('encoding', 'a content-encoding');
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw new FetchFailure('too-large', 'announced more than allowed');
  const body = await readBody(response, maxBytes);
  return { status, headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])), body };
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw new FetchFailure('too-large', 'sent more than allowed');
      chunks.push(chunk);
    }
  } catch (cause) {
    throw cause instanceof FetchFailure ? cause : new FetchFailure('transport', 'the answer was cut off', { cause });
  }
  return Buffer.concat(chunks);
}

/** One deadline over name resolution, connection and answer; a resolver that never answers cannot hold us either. */
async function withinTime<T>(milliseconds: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const late = new FetchFailure('timeout', 'no complete answer in time');
  const timer = setTimeout(() => ended.abort(late), milliseconds);
  const aborted = new Promise<never>((_, reject) => ended.signal.addEventListener('abort', () => reject(late), { once: true }));
  try {
    return await Promise.race([work(ended.signal), aborted]);
  } finally {
    clearTimeout(timer);
  }
}

function refused(message: string): FetchFailure {
  return new FetchFailure('refused', message);
}

function blockList(family: 'ipv4' | 'ipv6', networks: string): BlockList {
  const list = new BlockList();
  for (const network of networks.split(' ')) {
    const [base = '', length] = network.split('/');
    list.addSubnet(base, Number(length), family);
  }
  return list;
}
