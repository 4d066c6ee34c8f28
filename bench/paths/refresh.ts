/** Refresh with rotation: each connection follows its own family, one durable commit per answer. */
import { app, many } from '../subject.ts';
import { redemption } from './authorization-code.ts';
import { type HotPath, http } from './hot-path.ts';

const connections = 64;

export const path: HotPath = {
  name: 'POST /token refresh_token, rotating',
  goal: 0.15,
  supply: 'chain',
  expect: 200,
  async prepare(subject) {
    const codes = await subject.codes(connections);
    return many(connections, async (index) => {
      const response = await subject.fetch(subject.paths.token, { method: 'POST', body: new URLSearchParams(redemption(codes[index] ?? '')) });
      return request(subject.paths.token, refreshTokenOf(await response.text()));
    });
  },
  next: (body, token) => request(token, refreshTokenOf(body)),
};

function request(path: string, refreshToken: string): string {
  return http('POST', path, {}, { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: app.id });
}

function refreshTokenOf(body: string): string {
  return /"refresh_token":"([^"]+)"/.exec(body)?.[1] ?? '';
}
