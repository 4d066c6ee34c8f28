/** Authorization server metadata (RFC 8414): what every client reads first. */
import { type HotPath, http } from './hot-path.ts';

export const path: HotPath = {
  name: 'GET metadata',
  goal: 0.85,
  supply: 'rotate',
  expect: 200,
  prepare: async ({ paths }) => [http('GET', paths.metadata)],
};
