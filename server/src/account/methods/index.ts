/**
 * The list of ways to sign in. A new way is a file beside this one and a line here.
 */
import type { Context, Exchange } from '../../context.ts';
import type { Options } from '../../options.ts';
import { acrOf } from '../../rules/acr.ts';
import type { Parameters } from '../../rules/parameters.ts';
import type { User } from '../../storage/store.ts';
import type { Browser } from '../browser-cookie.ts';
import { secondStepAmr } from '../second-factor.ts';
import { emailCodeAmr, emailCodeOn, mustBeOn } from './email-code.ts';
import { passkey } from './passkey.ts';
import { password } from './password.ts';

/** `amr` when this sign-in differs from the method's. `disabled` is said only to whoever proved to be that person. */
export type Verdict =
  | { user: User; amr?: readonly string[]; refused?: undefined }
  | { refused: 'wrong-credentials' | 'wrong-passkey'; user?: undefined }
  | { refused: 'disabled'; user: User };

/** Where somebody signs in: the browser whose form it is. */
export type SignInPlace = { browser: Browser; exchange: Exchange; context: Context };

export type SignInMethod = {
  /** Authentication methods references (RFC 8176) of a sign-in with it. */
  readonly amr: readonly string[];
  /** Whether people may sign in with it here. */
  isOn(options: Options): boolean;
  /** Whom tries are counted by. Undefined when the form is of another method. */
  login(form: Parameters): string | undefined;
  verify(form: Parameters, place: SignInPlace): Promise<Verdict>;
};

/** A form may carry the fields of several: the first that finds its own decides. */
const methods: readonly SignInMethod[] = [passkey, password];

/** The levels of sign-in that somebody can reach here, by name (`acr_values_supported`). */
export function offeredAcrs(options: Options): string[] {
  const amrs = methods.filter((method) => method.isOn(options)).map(({ amr }) => amr);
  const levels = [...amrs, ...(emailCodeOn(options) ? [emailCodeAmr] : []), ...(options.signIn.totp ? [secondStepAmr.app] : [])].map((amr) => acrOf(amr) ?? '');
  return [...new Set(levels)].filter((acr) => acr !== '').toSorted();
}

/** The method whose fields a form has. @throws {OAuthError} not_found when it has none and passwords are off. */
export function methodOf(form: Parameters, context: Context): SignInMethod {
  const found = methods.find((method) => method.isOn(context.options) && method.login(form) !== undefined);
  if (!found) mustBeOn(password.isOn(context.options));
  return found ?? password;
}
