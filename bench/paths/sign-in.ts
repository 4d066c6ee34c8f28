/** A person signs in with a password: nearly all of it is scrypt, whose own pace is the ceiling of this path. */
import { type HotPath, http } from './hot-path.ts';
import { signInForm } from './pages.ts';

export const path: HotPath = {
  name: 'POST /login with a password',
  goal: 0.9,
  supply: 'rotate',
  expect: 303,
  ceiling: 'scrypt',
  connections: 4,
  async prepare(subject) {
    const { pages } = subject.paths;
    if (!pages) return [];
    const { cookie, tx, csrf } = await signInForm(subject, pages);
    return subject.people.map(({ username, password }) => http('POST', pages.signIn, { Cookie: cookie }, { tx, csrf, username, password }));
  },
};
