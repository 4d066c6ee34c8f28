/**
 * Which ways to sign in count as ways into an account: those that are on here. Nobody may take the last one away (storage/tables/ways-in.ts counts).
 */
import type { Context } from '../context.ts';
import type { WaysOn } from '../storage/store.ts';
import { emailCodeOn } from './methods/email-code.ts';
import { passkeysOn } from './passkey-challenge.ts';

export function waysOn({ options }: Context): WaysOn {
  return {
    password: options.signIn.password,
    passkeys: passkeysOn(options),
    upstreams: options.fetchUpstream !== undefined,
    emailCode: emailCodeOn(options),
  };
}
