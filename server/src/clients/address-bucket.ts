/**
 * Which callers share a limit: an IPv4 address each, an IPv6 network of 64 bits each, because one machine can have all of those. Pure text work; which address a
 * request has is decided by the runtime.
 */

/** The name under which an address is counted: IPv4 as it is (mapped IPv6 too), IPv6 as the first four groups. */
export function addressBucket(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':') || !URL.canParse(`http://[${address}]`)) return address;
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
  return `${groups.slice(0, 4).join(':')}::/64`;
}

/** Whether an address is in a list of addresses and IPv4 networks such as `160.79.104.0/21`. */
export function isListed(address: string, list: readonly string[]): boolean {
  const bits = ipv4Bits(addressBucket(address));
  return list.some((entry) => entry === address || (bits !== undefined && inNetwork(bits, entry)));
}

function inNetwork(bits: number, entry: string): boolean {
  const [network = '', length = '32'] = entry.split('/');
  const base = ipv4Bits(network);
  if (base === undefined || !/^([12]?[0-9]|3[0-2])$/.test(length)) return false;
  const size = 2 ** (32 - Number(length));
  return Math.floor(bits / size) === Math.floor(base / size);
}

function ipv4Bits(address: string): number | undefined {
  if (!/^(\d{1,3}\.){3}\d{1,3}$/.test(address)) return undefined;
  const octets = address.split('.').map(Number);
  return octets.some((octet) => octet > 255) ? undefined : octets.reduce((bits, octet) => bits * 256 + octet, 0);
}
