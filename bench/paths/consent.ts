/** A person allows a request: grant, code and event in one durable commit, each answer for another parked request. */
import { many } from '../subject.ts';
import { type HotPath, http } from './hot-path.ts';
import { consentForm, signedIn } from './pages.ts';

export const path: HotPath = {
  name: 'POST /consent',
  goal: 0.2,
  supply: 'once',
  expect: 303,
  async prepare(subject, count) {
    const { pages } = subject.paths;
    if (!pages) return [];
    const cookie = await signedIn(subject, pages);
    return many(count, async () => {
      const { tx, csrf } = await consentForm(subject, pages, cookie);
      return http('POST', pages.consent, { Cookie: cookie }, { tx, csrf, decision: 'allow' });
    });
  },
};
