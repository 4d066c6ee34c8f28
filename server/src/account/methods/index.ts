/**
 * The list of ways to sign in. A new way is a file beside this one and a line here.
 */
import type { Context } from '../../context.ts';
import { acrOf } from '../../rules/acr.ts';
import type { Parameters } from '../../rules/parameters.ts';
import type { User } from '../../storage/store.ts';
import { password } from './password.ts';

/** `disabled` is said only to whoever proved to be that person. */
export type Verdict = { user: User; refused?: undefined } | { refused: 'wrong-credentials'; user?: undefined } | { refused: 'disabled'; user: User };

export type SignInMethod = {
  /** Authentication methods references (RFC 8176) of a sign-in with it. */
  readonly amr: readonly string[];
  /** Who the form says is signing in: what tries are counted by, and what is put back into the form. Undefined when the form is of another method. */
  login(form: Parameters): string | undefined;
  verify(form: Parameters, context: Context): Promise<Verdict>;
};

const methods: readonly SignInMethod[] = [password];

/** The levels of sign-in that somebody can reach here, by name (`acr_values_supported`). */
export const offeredAcrs: readonly string[] = [...new Set(methods.map(({ amr }) => acrOf(amr) ?? ''))].filter((acr) => acr !== '');

/** The method whose fields a form has. */
export function methodOf(form: Parameters): SignInMethod {
  return methods.find((method) => method.login(form) !== undefined) ?? password;
}
