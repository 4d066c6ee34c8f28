/**
 * Keys derived from the instance secret: one to seal private keys at rest, one to MAC what we hand out and want back unchanged, one to key the hashes of
 * client secrets. None is stored; a stolen database without the secret signs nothing.
 */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';

/** What was sealed does not open: under another secret, for another purpose, or with changed bytes. Which of them cannot be told. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

export type InstanceKeys = {
  /** Encrypts under the instance secret (AES-256-GCM). `purpose` is authenticated: what was sealed for one purpose opens for no other. */
  seal(purpose: string, text: string): string;
  /** @throws {SealBroken} */
  open(purpose: string, sealed: string): string;
  /** HMAC-SHA-256 over the purpose and the parts, unambiguously joined, as base64url. */
  mac(purpose: string, ...parts: string[]): string;
};

export function instanceKeys(secret: string | Uint8Array): InstanceKeys {
  // As key objects: on Node 24 a key in a Buffer costs every MAC and every seal 10 µs more.
  const derive = (label: string) => createSecretKey(Buffer.from(hkdfSync('sha256', secret, 'auth-agent-mcp', label, 32)));
  const sealing = derive('seal');
  const macing = derive('mac');
  return {
    seal: (purpose, text) => sealWith(sealing, purpose, text),
    open: (purpose, sealed) => openWith(sealing, purpose, sealed),
    mac: (purpose, ...parts) =>
      createHmac('sha256', macing)
        .update(JSON.stringify([purpose, ...parts]))
        .digest('base64url'),
  };
}

/** Encrypts under a key that only the holder of `secret` (a token, a cookie) can make again. */
export function sealUnder(secret: string, purpose: string, text: string): string {
  return sealWith(keyFrom(secret), purpose, text);
}

/** @throws {SealBroken} */
export function openUnder(secret: string, purpose: string, sealed: string): string {
  return openWith(keyFrom(secret), purpose, sealed);
}

function keyFrom(secret: string): KeyObject {
  return createSecretKey(createHmac('sha256', 'auth-agent-mcp seal').update(secret).digest());
}

function sealWith(key: KeyObject, purpose: string, text: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(purpose));
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

function openWith(key: KeyObject, purpose: string, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64url');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
      .setAAD(Buffer.from(purpose))
      .setAuthTag(bytes.subarray(-16));
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new SealBroken(`What was sealed for "${purpose.split(' ', 1)[0]}" does not open with this secret`, { cause });
  }
}
