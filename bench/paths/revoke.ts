/** Revocation (RFC 7009) of access tokens, each a living one, one durable commit per answer. */
import { machine } from '../subject.ts';
import { machineTokens } from './client-credentials.ts';
import { basic, type HotPath, http } from './hot-path.ts';

export const path: HotPath = {
  name: 'POST /revoke',
  goal: 0.4,
  supply: 'once',
  expect: 200,
  async prepare(subject, count) {
    const { revoke } = subject.paths;
    if (!revoke) return [];
    const tokens = await machineTokens(subject, count);
    return tokens.map((token) => http('POST', revoke, basic(machine.id, machine.secret), { token }));
  },
};
