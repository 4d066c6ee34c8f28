/**
 * Sign in with a name or e-mail and a password. The answer and the time it takes are the same for a name that does not exist and a password that is wrong
 * (LOG-05). Not here: throttling and sessions (../sign-in.ts).
 */
import { decoyHash, hashPassword, verifyPassword } from '../../crypto/password.ts';
import type { Parameters } from '../../rules/parameters.ts';
import type { SignInMethod, SignInPlace, Verdict } from './index.ts';

export const password: SignInMethod = {
  amr: ['pwd'],
  isOn: ({ signIn }) => signIn.password,
  login: (form) => form.get('username')?.trim().slice(0, 320),
  verify,
};

async function verify(form: Parameters, { context }: SignInPlace): Promise<Verdict> {
  const given = form.get('password') ?? '';
  const login = password.login(form);
  const found = login ? await context.store.findUserByLogin(login) : undefined;
  const hash = found?.passwordHash ?? (await decoyHash());
  const { matches, stale } = await verifyPassword(given, hash);
  if (!matches || !found?.passwordHash) return { refused: 'wrong-credentials' };
  if (found.user.disabledAt !== undefined) return { refused: 'disabled', user: found.user };
  if (stale) await context.store.rehashPassword(found.user.id, hash, await hashPassword(given), context.now());
  return { user: found.user };
}
