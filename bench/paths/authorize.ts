/** A browser arrives at the authorization endpoint and gets the sign-in page; the request is parked durably. */
import { type HotPath, http } from './hot-path.ts';
import { authorizationRequest, from } from './pages.ts';

export const path: HotPath = {
  name: 'GET /authorize to the sign-in page',
  goal: 0.2,
  supply: 'rotate',
  expect: 200,
  async prepare({ paths: { pages } }) {
    if (!pages) return [];
    return Array.from({ length: 50_000 }, (_, index) => http('GET', pages.authorize + authorizationRequest, from(index)));
  },
};
