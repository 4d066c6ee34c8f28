/**
 * Whether strangers may make themselves an account. That needs mail: an address is written to an account only when its mailbox is proven.
 */
import type { Options } from '../options.ts';

export function signUpIsOpen({ signIn, sendMail }: Pick<Options, 'signIn' | 'sendMail'>): boolean {
  return signIn.signUp === 'open' && sendMail !== undefined;
}
