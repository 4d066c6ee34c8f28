/** An MCP server exchanges the token of an agent for one at the next server (RFC 8693): the approval is asked for, the chain is checked, nothing is written again within a minute. */
import { many, speaker } from '../subject.ts';
import { redemption } from './authorization-code.ts';
import { basic, type HotPath, http } from './hot-path.ts';

/** Agents whose tokens come in, each of another person. */
const agents = 200;

export const path: HotPath = {
  name: 'POST /token token-exchange',
  goal: 0.1,
  supply: 'rotate',
  expect: 200,
  async prepare(subject) {
    const { exchange } = subject.paths;
    if (exchange === undefined) return [];
    const codes = await subject.codes(agents);
    return many(agents, async (index) => {
      const response = await subject.fetch(subject.paths.token, { method: 'POST', body: new URLSearchParams(redemption(codes[index] ?? '')) });
      const { access_token } = (await response.json()) as { access_token: string };
      return http('POST', subject.paths.token, basic(speaker.id, speaker.secret), {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: access_token,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        resource: exchange,
      });
    });
  },
};
