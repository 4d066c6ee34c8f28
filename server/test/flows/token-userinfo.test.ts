import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { auditEvent } from '../../src/audit/event.ts';
import type { NewUser } from '../../src/storage/store.ts';
import { form, issuer } from '../harness.ts';
import { bearer, type Json, stage } from './token-stage.ts';

test('[UI-01] [UI-02] GET and POST say who the person is, as far as the scopes say, with the subject of the ID token', async () => {
  const scene = await stage();
  const all = await scene.tokens({ scope: ['openid', 'profile', 'email', 'files:read'] });
  const little = await scene.tokens({ scope: ['openid'], resource: issuer });

  const got = await scene.request('/userinfo', { headers: bearer(all.access_token) });
  const posted = await scene.request('/userinfo', { method: 'POST', headers: bearer(all.access_token) });
  const few = await scene.request('/userinfo', { headers: bearer(little.access_token) });

  const expected = { sub: scene.user.id, name: 'Ada Lovelace', preferred_username: 'ada', email: 'ada@example.com', email_verified: false };
  assert.deepEqual(await got.json(), expected);
  assert.deepEqual(await posted.json(), expected);
  assert.deepEqual(await few.json(), { sub: decodeJwt(all.id_token ?? '').sub });
  assert.equal(got.headers.get('cache-control'), 'no-store');
  assert.equal(got.headers.get('access-control-allow-origin'), '*');
});

test('[UI-01] an address that mail has reached is verified, and of a person without one nothing is said', async () => {
  const scene = await stage();
  const read = async (user: NewUser) => {
    const { access_token } = await scene.tokens({ scope: ['openid', 'email'], user });
    return (await scene.request('/userinfo', { headers: bearer(access_token) })).json();
  };
  const [proven, without] = [
    await scene.addUser({ username: 'grace', email: 'grace@example.com', emailProvenAt: scene.clock.now() }),
    await scene.addUser({ username: 'alan', email: undefined }),
  ];

  assert.deepEqual(await read(proven), { sub: proven.id, email: 'grace@example.com', email_verified: true });
  assert.deepEqual(await read(without), { sub: without.id });
});

test('[UI-02] no token is 401 without an error in the challenge, a bad one 401 invalid_token, one without openid 403', async () => {
  const scene = await stage();
  const profile = await scene.tokens({ scope: ['profile'], resource: issuer });

  const none = await scene.request('/userinfo');
  const bad = await scene.request('/userinfo', { headers: bearer('bad') });
  const poor = await scene.request('/userinfo', { headers: bearer(profile.access_token) });

  assert.equal(none.status, 401);
  assert.match(none.headers.get('www-authenticate') ?? '', /^Bearer realm="https:\/\/auth\.example\.com", resource_metadata="[^"]+", DPoP algs="[^"]+"$/);
  assert.equal(bad.status, 401);
  assert.match(bad.headers.get('www-authenticate') ?? '', /^Bearer .*error="invalid_token"/);
  assert.equal(poor.status, 403);
  assert.match(poor.headers.get('www-authenticate') ?? '', /^Bearer .*error="insufficient_scope", scope="openid", DPoP algs="[^"]+"$/);
});

test('[UI-01] a token for an MCP server that was not issued with openid is no profile reader', async () => {
  const scene = await stage();
  const { access_token } = await scene.tokens();

  const response = await scene.request('/userinfo', { headers: bearer(access_token) });

  assert.equal(response.status, 401);
  assert.equal(((await response.json()) as Json).error, 'invalid_token');
});

test('[UI-02] a revoked token, an ended one and that of a disabled person are invalid_token', async () => {
  const scene = await stage();
  const [revoked, ended, disabled] = [
    await scene.tokens({ scope: ['openid'] }),
    await scene.tokens({ scope: ['openid'] }),
    await scene.tokens({ scope: ['openid'] }),
  ];
  const ask = async (token: string) => (await scene.request('/userinfo', { headers: bearer(token) })).status;
  assert.equal(await ask(revoked.access_token), 200);

  await scene.post('/revoke', { token: revoked.access_token, client_id: scene.client.id });
  assert.equal(await ask(revoked.access_token), 401);
  await scene.store.setUserDisabled(scene.user.id, true, auditEvent('user.disabled', scene.clock.now(), 'test'));
  assert.equal(await ask(disabled.access_token), 401);
  await scene.store.setUserDisabled(scene.user.id, false, auditEvent('user.enabled', scene.clock.now(), 'test'));
  scene.clock.advance(3600);
  assert.equal(await ask(ended.access_token), 401);
});

test('[UI-03] a token in the query or in the body is not read', async () => {
  const scene = await stage();
  const { access_token } = await scene.tokens({ scope: ['openid'] });

  assert.equal((await scene.request(`/userinfo?access_token=${access_token}`)).status, 401);
  assert.equal((await scene.request('/userinfo', form({ access_token }))).status, 401);
});
