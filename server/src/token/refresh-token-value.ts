/**
 * The value of a refresh token: `rt_` and 48 bytes of base64url, namely family (12), generation (4), random (16) and a MAC over them (16). So every token a
 * family ever issued can be told from a forgery without a database: a forged one reaches no row, an old genuine one is recognised as reuse (RFC 9700 §4.14).
 * After the first, what stands for random is a MAC over the predecessor: whoever presents it again gets the same successor, which nobody has to keep.
 */
import type { Context } from '../context.ts';
import { equalSecrets } from '../crypto/hash.ts';
import { randomId, randomIdAt } from '../crypto/random.ts';

export type RefreshTokenValue = { familyId: string; generation: number };

const familyBytes = 12;
const randomBytes = 16;
const randomEnd = familyBytes + 4 + randomBytes;
const macBytes = 16;
const shape = /^rt_[A-Za-z0-9_-]{64}$/;

export function newFamilyId(now: number): string {
  return randomIdAt('', now, familyBytes - 6);
}

/** Makes the first token of a family. */
export function firstRefreshToken(familyId: string, context: Context): string {
  return encode({ familyId, generation: 0 }, randomId('', randomBytes), context);
}

/** Makes the token that takes over from a token of this server; always the same one. */
export function successorOf(presented: string, { familyId, generation }: RefreshTokenValue, context: Context): string {
  return encode({ familyId, generation: generation + 1 }, context.instance.mac('refresh-successor', context.store.tenant, presented), context);
}

function encode({ familyId, generation }: RefreshTokenValue, unguessable: string, context: Context): string {
  const body = Buffer.alloc(randomEnd);
  body.write(familyId, 'base64url');
  body.writeUInt32BE(generation, familyBytes);
  body.write(unguessable, familyBytes + 4, randomBytes, 'base64url');
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
