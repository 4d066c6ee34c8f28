/** A browser arrives at the authorization endpoint and gets the sign-in page; the request is parked durably. */
import { type HotPath, http } from './hot-path.ts';
import { authorizationRequest } from './pages.ts';

export const path: HotPath = {
  name: 'GET /authorize to the sign-in page',
  goal: 0.2,
  supply: 'rotate',
  expect: 200,
  prepare: async ({ paths }) => (paths.pages ? [http('GET', paths.pages.authorize + authorizationRequest)] : []),
};
