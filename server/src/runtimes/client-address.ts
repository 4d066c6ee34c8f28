/**
 * The address of a caller: the peer of the socket, unless that peer is a proxy the operator has named. Then the nearest address in `X-Forwarded-For` that is
 * no such proxy. Anybody may write that header, so it counts only as far as trusted hands passed it on (RATE-04). Pure.
 */
import { BlockList, isIP } from 'node:net';

/** @throws {TypeError} naming the entry that is neither an address nor a network such as `10.0.0.0/8`. */
export function proxyList(entries: readonly string[]): (address: string) => boolean {
  if (entries.length === 0) return () => false;
  const list = new BlockList();
  for (const entry of entries) addTo(list, entry);
  return (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** Walks `X-Forwarded-For` from its end, where our own proxies write. What cannot be read ends the walk at the last address that was sure. */
export function clientAddress(peer: string | undefined, forwardedFor: string | undefined, isProxy: (address: string) => boolean): string {
  let address = plainAddress(peer ?? '') ?? 'unknown';
  if (forwardedFor === undefined || address === 'unknown' || !isProxy(address)) return address;
  for (const hop of forwardedFor.split(',').reverse()) {
    const before = plainAddress(hop.trim());
    if (before === undefined) return address;
    address = before;
    if (!isProxy(address)) return address;
  }
  return address;
}

/** One spelling per address: without port and brackets, and IPv4 as IPv4 even when it came through an IPv6 socket. */
function plainAddress(text: string): string | undefined {
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  const version = isIP(bare);
  if (version === 4) return bare;
  if (version === 0 || bare.includes('%')) return undefined;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1] ?? new URL(`http://[${bare}]`).hostname.slice(1, -1);
}

function addTo(list: BlockList, entry: string): void {
  const [address = '', prefix] = entry.split('/');
  const version = isIP(address);
  const longest = version === 6 ? 128 : 32;
  const length = prefix === undefined ? longest : Number(prefix);
  if (version === 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) || length > longest)
    throw new TypeError(`"trustedProxies" has "${entry}", which is neither an address nor a network like 10.0.0.0/8`);
  list.addSubnet(address, length, version === 6 ? 'ipv6' : 'ipv4');
}
