/**
 * Verbs and rows of the second step of a sign-in: one-time codes of an authenticator app (TOTP, RFC 6238) and the recovery codes beside them. Part of the store; SQL is
 * in ../tables/. Secrets come in sealed, codes hashed.
 */
import type { AuditEvent } from '../../audit/event.ts';

/** A person who signs in in two steps. */
export type SecondFactor = {
  /** The secret they share with their app, sealed under the instance secret. */
  secretSealed: string;
  createdAt: number;
  /** Recovery codes that were not used. */
  recoveryCodesLeft: number;
};

/** `step` is the time step of the code by which the person showed that their app has the secret: it is used with that. */
export type NewSecondFactor = { userId: string; secretSealed: string; step: number; recoveryHashes: readonly string[] };

export type SecondFactorVerbs = {
  /** "taken": the person has one. */
  addSecondFactor(factor: NewSecondFactor, event: AuditEvent): Promise<'added' | 'taken'>;
  findSecondFactor(userId: string): Promise<SecondFactor | undefined>;
  /** Uses a time step. False: it, or a later one, was used before (RFC 6238 §5.2). Of parallel uses one is true. */
  useTotpStep(userId: string, step: number): Promise<boolean>;
  /** Uses a recovery code up. False: it is none of the person's, or was used before. */
  useRecoveryCode(code: { userId: string; codeHash: string }, event: AuditEvent): Promise<boolean>;
  /** Takes other recovery codes in the place of all earlier ones. False: the person has no second factor. */
  replaceRecoveryCodes(codes: { userId: string; codeHashes: readonly string[] }, event: AuditEvent): Promise<boolean>;
  /** Takes the second step away, with its recovery codes. */
  removeSecondFactor(userId: string, event: AuditEvent): Promise<boolean>;
};
