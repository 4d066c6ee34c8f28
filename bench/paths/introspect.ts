/** Introspection (RFC 7662) of tokens seen before: 10 000 different ones in rotation, as an MCP server asks about the people it serves. */
import { machineTokens } from './client-credentials.ts';
import { type HotPath, http } from './hot-path.ts';

export const path: HotPath = {
  name: 'POST /introspect, 10 000 tokens in rotation',
  goal: 0.6,
  supply: 'rotate',
  expect: 200,
  async prepare(subject, count) {
    const { introspect } = subject.paths;
    if (!introspect) return [];
    const tokens = await machineTokens(subject, Math.min(count, 10_000));
    return tokens.map((token) => http('POST', introspect, subject.introspector, { token }));
  },
};
