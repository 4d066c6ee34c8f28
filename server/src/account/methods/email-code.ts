/**
 * Sign in with a code sent by mail, as a way among others. It takes two requests, so it has an address and a page of its own (../email-code.ts, ../enter-code.ts).
 */
import { OAuthError } from '../../errors.ts';
import type { Options } from '../../options.ts';

/** RFC 8176 §2: a one-time password. */
export const emailCodeAmr: readonly string[] = ['otp'];

/** Codes need mail. */
export function emailCodeOn({ signIn, sendMail }: Pick<Options, 'signIn' | 'sendMail'>): boolean {
  return signIn.emailCode && sendMail !== undefined;
}

/** @throws {OAuthError} not_found: what is switched off is not there (META-15). */
export function mustBeOn(on: boolean): void {
  if (!on) throw new OAuthError('not_found', 'This way in is switched off here');
}
