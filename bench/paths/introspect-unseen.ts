/** Introspection of tokens never seen before: another node has issued them and each is asked about once, so each signature is verified. */
import { machineTokens } from './client-credentials.ts';
import { type HotPath, http } from './hot-path.ts';

export const path: HotPath = {
  name: 'POST /introspect, token of another node',
  goal: 0.25,
  supply: 'once',
  expect: 200,
  async prepare(subject, count) {
    const { introspect } = subject.paths;
    if (!introspect) return [];
    const tokens = await machineTokens(subject, count, subject.elsewhere);
    return tokens.map((token) => http('POST', introspect, subject.introspector, { token }));
  },
};
