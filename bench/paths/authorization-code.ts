/** A code becomes tokens (OAuth 2.1 §4.1.3): PKCE, a refresh family and one durable commit. */
import { app, verifier } from '../subject.ts';
import { type HotPath, http } from './hot-path.ts';

export const path: HotPath = {
  name: 'POST /token authorization_code',
  goal: 0.15,
  supply: 'once',
  expect: 200,
  prepare: async (subject, count) => (await subject.codes(count)).map((code) => http('POST', subject.paths.token, {}, redemption(code))),
};

/** The form that redeems a code. */
export function redemption(code: string): Record<string, string> {
  return { grant_type: 'authorization_code', code, redirect_uri: app.redirectUri, client_id: app.id, code_verifier: verifier };
}
