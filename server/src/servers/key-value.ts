/**
 * The value of an API key: `sk_<id>_<secret><checksum>`, where the id has 12 letters and digits, the secret 43 characters of base64url (256 random bits) and
 * the checksum 7. It names its own row and shows that it is ours without a database. Not here: where keys are kept and revoked (api/keys.ts, storage).
 */
import { checksum, sha256 } from '../crypto/hash.ts';
import { randomId, randomWord } from '../crypto/random.ts';

/** What secret scanners look for. */
export const keyPattern = /^(sk_[A-Za-z0-9]{12})_[A-Za-z0-9_-]{43}[0-9a-z]{7}$/;
const idPattern = /^sk_[A-Za-z0-9]{4,32}$/;

/** Makes a key: `id` and `hash` are kept, `secret` is shown once and forgotten. */
export function newKey(): { id: string; secret: string; hash: string } {
  const id = `sk_${randomWord(12)}`;
  const body = `${id}_${randomId('', 32)}`;
  const secret = body + checksum(body);
  return { id, secret, hash: sha256(secret) };
}

/**
 * Reads what was presented as an API key: its id and the hash to look up; `id-only` when somebody sent the id where the secret belongs; undefined when it
 * is no key of ours or was mistyped. Says nothing about whether the key exists.
 */
export function parseKey(presented: string): { id: string; hash: string } | 'id-only' | undefined {
  const id = keyPattern.exec(presented)?.[1];
  if (id === undefined) return idPattern.test(presented) ? 'id-only' : undefined;
  const whole = checksum(presented.slice(0, -7)) === presented.slice(-7);
  return whole ? { id, hash: sha256(presented) } : undefined;
}
