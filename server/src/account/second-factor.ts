/**
 * The second step of a sign-in as a rule: what a person may type, what it is worth, how often anybody may guess (LOG-11). Each code counts once. Not here: the
 * page (second-step.ts), turning it on and off (security/two-step.ts), the arithmetic (crypto/totp.ts).
 */
import { type AuditEvent, auditEvent, type EventType } from '../audit/event.ts';
import { addressBucket } from '../clients/address-bucket.ts';
import type { Context, Exchange } from '../context.ts';
import { SealBroken } from '../crypto/instance-keys.ts';
import { randomLetters } from '../crypto/random.ts';
import { stepOfCode } from '../crypto/totp.ts';
import type { Allowance } from '../storage/store.ts';

type Place = { exchange: Exchange; context: Context };

/** What the second step adds to the methods of a sign-in (RFC 8176 §2). A recovery code is a look-up secret, which has no name there. */
export const secondStepAmr = { app: ['otp', 'mfa'], recovery: ['mfa'] } as const;
export type SecondStep = keyof typeof secondStepAmr;

/** Counts a try before it is made. By person wherever it comes from: whoever gets here knows the first factor, and a million codes are few. */
export async function mayTryCode(userId: string, address: string, context: Context): Promise<Allowance> {
  const place = await context.limits.take('second-step.address', addressBucket(address));
  return place.allowed ? context.store.attempt(`second step ${userId}`, context.now()) : place;
}

export async function forgiveCodes(userId: string, address: string, context: Context): Promise<void> {
  await Promise.all([context.store.forgiveAttempts(`second step ${userId}`), context.limits.giveBack('second-step.address', addressBucket(address))]);
}

/** Uses up what the person typed: a code of their app, or a recovery code. Undefined when it is neither, or was used before. */
export async function useCode(typed: string, userId: string, place: Place): Promise<SecondStep | undefined> {
  const code = typed.normalize('NFKC').replaceAll(/[\s-]/g, '').toUpperCase();
  if (/^\d{6}$/.test(code)) return (await usesAppCode(code, userId, place)) ? 'app' : undefined;
  if (code.length !== recoveryLength) return undefined;
  const { context } = place;
  const used = await context.store.useRecoveryCode(
    { userId, codeHash: recoveryHash(code, userId, context) },
    secondStepEvent('recovery_code.used', userId, place),
  );
  return used ? 'recovery' : undefined;
}

async function usesAppCode(code: string, userId: string, { context, exchange }: Place): Promise<boolean> {
  const factor = await context.store.findSecondFactor(userId);
  if (!factor) return false;
  const secret = openSecret(factor.secretSealed, userId, { context, exchange });
  const step = secret && stepOfCode(code, secret, context.now());
  return step !== undefined && (await context.store.useTotpStep(userId, step));
}

function openSecret(sealed: string, userId: string, { context, exchange }: Place): Buffer | undefined {
  try {
    return Buffer.from(context.instance.open(secretPurpose(userId), sealed), 'base64url');
  } catch (cause) {
    if (!(cause instanceof SealBroken)) throw cause;
    // Sealed under another instance secret: only an operator can help, by `users reset-factors`.
    context.log.error('second_factor.unreadable', { user_id: userId, request_id: exchange.requestId }, cause);
    return undefined;
  }
}

/** Seals the secret of an app for its row. */
export function sealSecret(secret: Uint8Array, userId: string, { instance }: Context): string {
  return instance.seal(secretPurpose(userId), Buffer.from(secret).toString('base64url'));
}

const secretPurpose = (userId: string): string => `totp ${userId}`;

/** Without letters and digits that look like others: 16 of 32 are 80 random bits. */
const recoveryAlphabet = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';
const recoveryLength = 16;
const recoveryCount = 10;

/** Ten codes to be shown once, and what is stored of them. */
export function newRecoveryCodes(userId: string, context: Context): { shown: string[]; hashes: string[] } {
  const codes = Array.from({ length: recoveryCount }, () => randomLetters(recoveryAlphabet, recoveryLength));
  return { shown: codes.map((code) => (code.match(/.{4}/g) ?? []).join('-')), hashes: codes.map((code) => recoveryHash(code, userId, context)) };
}

function recoveryHash(code: string, userId: string, { instance, issuer }: Context): string {
  return instance.mac('recovery code', issuer, userId, code);
}

type SecondStepEvent = Extract<EventType, `second_factor.${string}` | `recovery_code${string}`>;

export function secondStepEvent(type: SecondStepEvent, userId: string, { exchange, context }: Place): AuditEvent {
  return auditEvent(type, context.now(), `user:${userId}`, { userId, address: exchange.address, requestId: exchange.requestId });
}
