/**
 * SHA-256 of tokens, so that no cache and no log ever holds a token. `crypto.subtle` answers through another thread, ten times slower than the hash
 * itself, so where the runtime has a synchronous one (Node, Bun) it is used; found without an import, the core stays free of `node:`.
 */

type SynchronousHash = (algorithm: 'sha256', data: string, encoding: 'base64url') => string;

const synchronousHash = (
  globalThis as { process?: { getBuiltinModule?: (name: string) => { hash?: SynchronousHash } | undefined } }
).process?.getBuiltinModule?.('node:crypto')?.hash;

/** SHA-256 of an ASCII string in base64url; a promise only where the runtime has nothing faster. */
export const tokenHash: (token: string) => string | Promise<string> = synchronousHash
  ? (token) => synchronousHash('sha256', token, 'base64url')
  : subtleTokenHash;

/** The same by web standards alone. */
export async function subtleTokenHash(token: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token)));
  return btoa(String.fromCharCode(...digest))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}
