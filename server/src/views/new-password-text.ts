/**
 * Owns: what is wrong with a new password, in words, wherever one is chosen.
 */
import type { PageFrame } from './layout.ts';

/** As rules/passwords/problem.ts names them. */
export type PasswordProblemName = 'missing' | 'tooShort' | 'tooLong' | 'common' | 'about';

export function newPasswordText({ t }: Pick<PageFrame, 't'>, problem: PasswordProblemName, minLength: number): string {
  return t(`password.error.${problem}`, { count: minLength });
}
