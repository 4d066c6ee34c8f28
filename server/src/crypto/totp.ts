/**
 * One-time codes of authenticator apps (TOTP, RFC 6238 on HOTP, RFC 4226) with what every app knows: SHA-1, six digits, thirty seconds. SHA-1 is sound here: HMAC does
 * not need collision resistance (RFC 6238 §1.2). Not here: that a code counts once (storage), how often anybody may guess (account/).
 */
import { createHmac } from 'node:crypto';
import { equalSecrets } from './hash.ts';

/** How long a code is shown, in seconds. */
const period = 30;
/** Clocks may be one step apart, and typing takes time (RFC 6238 §5.2). */
const drift = [0, -1, 1];

/** The code of a time step, RFC 4226 §5.3. */
export function codeOfStep(secret: Uint8Array, step: number, digits = 6): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0xf;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** digits).padStart(digits, '0');
}

/** The time step whose code this is, at most one away from `now` in seconds; undefined when it is none of the three. */
export function stepOfCode(code: string, secret: Uint8Array, now: number): number | undefined {
  const current = Math.floor(now / period);
  const matching = drift.map((distance) => current + distance).filter((step) => equalSecrets(codeOfStep(secret, step), code));
  return matching[0];
}

/** RFC 4648 §6 without padding: how apps take a secret that is typed. */
export function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = bits.match(/.{1,5}/g) ?? [];
  return letters.map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five.padEnd(5, '0'), 2)]).join('');
}

/** The address that apps read from a QR code. */
export function keyUri(secret: Uint8Array, { service, account }: { service: string; account: string }): string {
  const label = `${encodeURIComponent(service)}:${encodeURIComponent(account)}`;
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=${encodeURIComponent(service)}`;
}
