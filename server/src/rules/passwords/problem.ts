/**
 * What a password must be, wherever one is chosen: at setup, sign-up, change, reset and on the command line. Length, not composition (NIST SP 800-63B §3.1.1.2):
 * no rule about digits or signs. Not here: how it is hashed (crypto/password.ts).
 */
import { maxPasswordBytes } from '../../crypto/password.ts';
import { folded, isCommon } from './common-passwords.ts';

/** `about`: it contains the person's name, their e-mail address or the name of the service. */
export type PasswordProblem = 'missing' | 'tooShort' | 'tooLong' | 'common' | 'about';

/** Whom it is for. All optional: nobody knows an e-mail address that was not given. */
export type PasswordOwner = { username?: string; email?: string; name?: string };

/** The part of the server's options that speaks of passwords. */
export type PasswordOptions = { serviceName: string; signIn: { passwordMinLength: number } };

/** The default of the option `signIn.passwordMinLength`, in characters. */
export const minPasswordLength = 12;
/** Shorter words than this are in many good passwords by chance. */
const shortestWord = 4;

/** The first thing that is wrong with a new password; undefined when it may be used. */
export async function passwordProblem(password: string, owner: PasswordOwner, { serviceName, signIn }: PasswordOptions): Promise<PasswordProblem | undefined> {
  if (password === '') return 'missing';
  if ([...password].length < signIn.passwordMinLength) return 'tooShort';
  if (Buffer.byteLength(password) > maxPasswordBytes) return 'tooLong';
  const { username, email, name } = owner;
  if (containsOneOf(password, [username, email, email?.split('@')[0], name, serviceName])) return 'about';
  return (await isCommon(password)) ? 'common' : undefined;
}

/** Compared by letters and digits alone, so that `ada.lovelace` is found in `Ada Lovelace 1815`. */
function containsOneOf(password: string, words: readonly (string | undefined)[]): boolean {
  const bare = (text: string) => folded(text).replaceAll(/[^\p{L}\p{N}]/gu, '');
  const given = bare(password);
  return words.some((word) => word !== undefined && bare(word).length >= shortestWord && given.includes(bare(word)));
}
