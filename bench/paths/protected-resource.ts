/** Protected-resource metadata (RFC 9728) of a registered MCP server. */
import { type HotPath, http } from './hot-path.ts';

export const path: HotPath = {
  name: 'GET protected-resource metadata',
  goal: 0.85,
  supply: 'rotate',
  expect: 200,
  prepare: async ({ paths }) => (paths.protectedResource ? [http('GET', paths.protectedResource)] : []),
};
