/**
 * Whether strangers may make themselves an account. That needs mail: an address is written to an account only when its mailbox is proven. And a way back in with what
 * they have then: where only upstreams are on, an account is made by coming from one (first-time.ts).
 */
import type { Options } from '../options.ts';

export function signUpIsOpen({ signIn, sendMail }: Pick<Options, 'signIn' | 'sendMail'>): boolean {
  return signIn.signUp === 'open' && sendMail !== undefined && (signIn.password || signIn.emailCode);
}
