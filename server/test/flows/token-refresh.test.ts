import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt } from 'jose';
import { auditEvent, type EventType } from '../../src/audit/event.ts';
import { errorOf, redemption, type Stage, stage, type Tokens } from './token-stage.ts';

async function refreshed(scene: Stage, value: string, more?: Record<string, string>): Promise<Tokens> {
  const response = await scene.refresh(value, more);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Tokens;
}

test('[RT-01] every refresh replaces the refresh token, for public and confidential clients alike', async () => {
  const scene = await stage();
  const confidential = await scene.addClient({ secret: 'cs_secret' });
  const first = await scene.tokens();
  const mine = (await (await scene.post('/token', { ...(await codeOf(scene, confidential.id)), client_secret: 'cs_secret' })).json()) as Tokens;

  const second = await refreshed(scene, first.refresh_token);
  const mineAgain = await refreshed(scene, mine.refresh_token, { client_id: confidential.id, client_secret: 'cs_secret' });

  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.notEqual(mineAgain.refresh_token, mine.refresh_token);
  assert.equal((await scene.introspect(second.access_token)).active, true);
});

test('[RT-02] a refresh token that comes back after its grace ends the family, and is recorded', async () => {
  const scene = await stage();
  const first = await scene.tokens();
  const second = await refreshed(scene, first.refresh_token);
  scene.clock.advance(31);

  assert.deepEqual(await errorOf(await scene.refresh(first.refresh_token)), {
    status: 400,
    error: 'invalid_grant',
    description: 'The refresh token is not valid',
  });

  assert.equal((await errorOf(await scene.refresh(second.refresh_token))).error, 'invalid_grant');
  assert.deepEqual(await scene.introspect(second.access_token), { active: false });
  const events = await scene.store.listEvents({ type: 'refresh_token.reused', limit: 5 });
  assert.equal(events.length, 1);
  assert.equal(events[0]?.userId, scene.user.id);
});

test('[RT-02] the grandparent of the living token ends the family even within the grace window', async () => {
  const scene = await stage();
  const first = await scene.tokens();
  const second = await refreshed(scene, first.refresh_token);
  const third = await refreshed(scene, second.refresh_token);

  assert.equal((await errorOf(await scene.refresh(first.refresh_token))).error, 'invalid_grant');

  assert.equal((await errorOf(await scene.refresh(third.refresh_token))).error, 'invalid_grant');
});

test('[RT-02] a forged value of a living family reaches no row and ends nothing', async () => {
  const scene = await stage();
  const first = await scene.tokens();
  const forged = `rt_${first.refresh_token.slice(3, 40)}${'A'.repeat(27)}`;

  assert.equal((await errorOf(await scene.refresh(forged))).error, 'invalid_grant');

  await refreshed(scene, first.refresh_token);
});

test('[RT-03] [D5] within 30 seconds the immediate predecessor gets the same successor, byte for byte, and a good access token', async () => {
  const scene = await stage();
  const first = await scene.tokens();
  const second = await refreshed(scene, first.refresh_token);
  scene.clock.advance(30);

  const again = await refreshed(scene, first.refresh_token);

  assert.equal(again.refresh_token, second.refresh_token);
  assert.notEqual(again.access_token, second.access_token);
  assert.equal((await scene.introspect(again.access_token)).active, true);
});

test('[RT-03] the successor that was handed out twice does not fork: whoever comes late with it is a thief', async () => {
  const scene = await stage({ refreshGraceSeconds: 0 });
  const first = await scene.tokens();
  const second = await refreshed(scene, first.refresh_token);
  const sibling = await refreshed(scene, first.refresh_token);
  const third = await refreshed(scene, second.refresh_token);
  scene.clock.advance(1);

  assert.equal((await errorOf(await scene.refresh(sibling.refresh_token))).error, 'invalid_grant');

  assert.equal((await errorOf(await scene.refresh(third.refresh_token))).error, 'invalid_grant');
});

test('[RT-04] another client gets invalid_grant and harms nothing, be it with the living token or an old one', async () => {
  const scene = await stage();
  const other = await scene.addClient();
  const first = await scene.tokens();
  const second = await refreshed(scene, first.refresh_token);
  scene.clock.advance(60);

  for (const value of [second.refresh_token, first.refresh_token])
    assert.equal((await errorOf(await scene.refresh(value, { client_id: other.id }))).error, 'invalid_grant');

  await refreshed(scene, second.refresh_token);
});

test('[RT-05] a narrower scope narrows the access token only; the next refresh has everything again', async () => {
  const scene = await stage();
  const first = await scene.tokens();

  const narrow = await refreshed(scene, first.refresh_token, { scope: 'files:read' });
  const wide = await refreshed(scene, narrow.refresh_token);

  assert.equal(narrow.scope, 'files:read');
  assert.equal(decodeJwt(narrow.access_token).scope, 'files:read');
  assert.equal(wide.scope, 'files:read files:write');
});

test('[RT-05] a wider scope is invalid_scope and does not cost the token', async () => {
  const scene = await stage();
  const first = await scene.tokens();

  for (const scope of ['files:read files:delete', 'files:delete', 'FILES:READ', 'files:read "'])
    assert.deepEqual((await errorOf(await scene.refresh(first.refresh_token, { scope }))).error, 'invalid_scope');

  const second = await refreshed(scene, first.refresh_token);
  assert.equal((await scene.store.listEvents({ type: 'refresh_token.reused', limit: 5 })).length, 0);
  assert.ok(second.refresh_token);
});

test('[RT-06] a resource that was not granted is invalid_target and does not cost the token', async () => {
  const scene = await stage();
  const first = await scene.tokens();

  assert.equal((await errorOf(await scene.refresh(first.refresh_token, { resource: 'https://other.example.com' }))).error, 'invalid_target');

  await refreshed(scene, first.refresh_token, { resource: scene.mcp.resource });
});

test('[RT-07] a refresh token dies when idle, and a busy family dies of age', async () => {
  const day = 86400;
  const scene = await stage({ dormantSeconds: 2 * day, refreshLifetimeSeconds: 5 * day });
  const idle = await scene.tokens();
  scene.clock.advance(2 * day);
  const start = await scene.tokens();
  let busy = start.refresh_token;

  assert.equal((await errorOf(await scene.refresh(idle.refresh_token))).error, 'invalid_grant');

  for (let passed = 0; passed < 4; passed++) {
    scene.clock.advance(day);
    busy = (await refreshed(scene, busy)).refresh_token;
  }
  scene.clock.advance(day);
  assert.equal((await errorOf(await scene.refresh(busy))).error, 'invalid_grant');
});

test('[RT-07] [RT-08] a refresh token dies with its person, the password, the consent and the client', async () => {
  const endings: [string, (scene: Stage) => Promise<unknown>][] = [
    ['person', ({ store, user }) => store.setUserDisabled(user.id, true, event('user.disabled'))],
    ['password', ({ store, user }) => store.changePassword(user.id, 'hash', event('user.password_changed'))],
    ['consent', async ({ store }) => store.revokeGrant((await store.listGrants({}, 0))[0]?.id ?? '', 'person', event('grant.revoked'))],
    ['client', ({ store, client }) => store.removeClient(client.id, event('client.removed'))],
  ];
  for (const [name, end] of endings) {
    const scene = await stage();
    const { refresh_token, access_token } = await scene.tokens();
    await end(scene);

    const answer = await errorOf(await scene.refresh(refresh_token));

    assert.equal(answer.error, name === 'client' ? 'invalid_client' : 'invalid_grant', name);
    assert.deepEqual(await scene.introspect(access_token), { active: false }, name);
  }
});

test('[RT-08] who signed in and when does not change by refreshing', async () => {
  const scene = await stage();
  const first = await scene.tokens();
  scene.clock.advance(1000);

  const second = decodeJwt((await refreshed(scene, first.refresh_token)).access_token);

  assert.equal(second.auth_time, decodeJwt(first.access_token).auth_time);
  assert.equal(second.sub, scene.user.id);
  assert.equal(second.iat, scene.clock.now());
});

test('[RT-09] parallel refreshes with one token make one lineage: every answer carries the same successor', async () => {
  const scene = await stage();
  const first = await scene.tokens();

  const responses = await Promise.all(Array.from({ length: 20 }, () => scene.refresh(first.refresh_token)));

  const successors = new Set(await Promise.all(responses.map(async (response) => ((await response.json()) as Tokens).refresh_token)));
  assert.deepEqual([...new Set(responses.map(({ status }) => status))], [200]);
  assert.equal(successors.size, 1);
  await refreshed(scene, [...successors][0] ?? '');
});

test('[RT-10] an access token is no refresh token, and a refresh token no access token', async () => {
  const scene = await stage({});
  const { access_token, refresh_token } = await scene.tokens({ scope: ['openid'] });

  assert.equal((await errorOf(await scene.refresh(access_token))).error, 'invalid_grant');
  assert.deepEqual(await scene.introspect(refresh_token), { active: false });
  assert.equal((await scene.request('/userinfo', { headers: { Authorization: `Bearer ${refresh_token}` } })).status, 401);
});

test('[RT-11] the habits of real clients are fine: scope and secret in the body, no resource', async () => {
  const scene = await stage();
  const gemini = await scene.addClient({ secret: 'cs_secret', metadata: { tokenEndpointAuthMethod: 'client_secret_basic' } });
  const first = (await (await scene.post('/token', { ...(await codeOf(scene, gemini.id)), client_secret: 'cs_secret' })).json()) as Tokens;

  const second = await refreshed(scene, first.refresh_token, { client_id: gemini.id, client_secret: 'cs_secret', scope: 'files:read files:write' });

  assert.equal(second.scope, 'files:read files:write');
});

test('[RT-11] a missing refresh token is invalid_request', async () => {
  const { post, client } = await stage();

  assert.equal((await errorOf(await post('/token', { grant_type: 'refresh_token', client_id: client.id }))).error, 'invalid_request');
});

function event(type: EventType) {
  return auditEvent(type, 1_800_000_000, 'test');
}

async function codeOf(scene: Stage, clientId: string): Promise<Record<string, string>> {
  const client = await scene.store.findClient(clientId);
  assert.ok(client);
  return redemption(client, (await scene.code({ client })).code);
}
