/** A person allows a request: grant, code and event in one durable commit, each answer for another parked request. */
import { many } from '../subject.ts';
import { type HotPath, http } from './hot-path.ts';
import { consentForm, from } from './pages.ts';

export const path: HotPath = {
  name: 'POST /consent',
  goal: 0.2,
  supply: 'once',
  expect: 303,
  async prepare(subject, count) {
    const { pages } = subject.paths;
    if (!pages) return [];
    const sessions = await subject.sessions(2000);
    return many(count, async (index) => {
      const session = sessions[index % sessions.length] ?? '';
      const { cookie, tx, csrf } = await consentForm(subject, pages, session, from(index));
      return http('POST', pages.consent, { Cookie: cookie, ...from(index) }, { tx, csrf, decision: 'allow' });
    });
  },
};
