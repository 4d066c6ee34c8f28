/**
 * The value of a refresh token: `rt_` and 48 bytes of base64url, namely family (12), generation (4), random (16) and a MAC over them (16). So every token a
 * family ever issued can be told from a forgery without a database: a forged one reaches no row, an old genuine one is recognised as reuse (RFC 9700 §4.14).
 */
import type { Context } from '../context.ts';
import { equalSecrets } from '../crypto/hash.ts';
import { randomId } from '../crypto/random.ts';

export type RefreshTokenValue = { familyId: string; generation: number };

const familyBytes = 12;
const randomEnd = familyBytes + 4 + 16;
const macBytes = 16;
const shape = /^rt_[A-Za-z0-9_-]{64}$/;

export function newFamilyId(): string {
  return randomId('', familyBytes);
}

/** Makes the token of a generation of a family. */
export function newRefreshToken({ familyId, generation }: RefreshTokenValue, context: Context): string {
  const body = Buffer.alloc(randomEnd);
  body.write(familyId, 'base64url');
  body.writeUInt32BE(generation, familyBytes);
  body.write(randomId('', 16), familyBytes + 4, 'base64url');
  return `rt_${Buffer.concat([body, mac(body, context)]).toString('base64url')}`;
}

/** Reads a token that this server made for this tenant; undefined for anything else. */
export function parseRefreshToken(value: string, context: Context): RefreshTokenValue | undefined {
  if (!shape.test(value)) return undefined;
  const bytes = Buffer.from(value.slice(3), 'base64url');
  const body = bytes.subarray(0, randomEnd);
  if (!equalSecrets(bytes.toString('base64url', randomEnd), mac(body, context).toString('base64url'))) return undefined;
  return { familyId: body.toString('base64url', 0, familyBytes), generation: body.readUInt32BE(familyBytes) };
}

function mac(body: Buffer, context: Context): Buffer {
  return Buffer.from(context.instance.mac('refresh-token', context.store.tenant, body.toString('base64url')), 'base64url').subarray(0, macBytes);
}
