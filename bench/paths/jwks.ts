/** The key set (RFC 7517): what every verifier of tokens reads. */
import { type HotPath, http } from './hot-path.ts';

export const path: HotPath = {
  name: 'GET JWKS',
  goal: 0.85,
  supply: 'rotate',
  expect: 200,
  prepare: async ({ paths }) => [http('GET', paths.jwks)],
};
