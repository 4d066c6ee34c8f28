import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import { nodePolicies } from '../../src/limits/policies.ts';
import { newKey } from '../../src/servers/key-value.ts';
import { form, testServer } from '../harness.ts';
import { basic, bearer, errorOf, type Json, redemption, stage, type Tokens } from './token-stage.ts';

const inactive = '{"active":false}';

test('[INT-04] an active answer has what a resource server needs, in the shape that was promised', async () => {
  const scene = await stage();
  const { access_token } = await scene.tokens();

  const answer = await scene.introspect(access_token);

  const { jti, ...rest } = answer;
  assert.match(String(jti), /^[A-Za-z0-9_-]{22}$/);
  assert.deepEqual(rest, {
    active: true,
    sub: scene.user.id,
    username: 'ada',
    email: 'ada@example.com',
    client_id: scene.client.id,
    scope: 'files:read files:write',
    aud: scene.mcp.resource,
    iss: 'https://auth.example.com',
    exp: scene.clock.now() + 3600,
    iat: scene.clock.now(),
    token_type: 'Bearer',
    auth_time: scene.clock.now() - 120,
  });
});

test('[INT-04] a JSON body is read like a form', async () => {
  const { request, tokens, keyOf } = await stage();
  const body = JSON.stringify({ token: (await tokens()).access_token });

  const response = await request('/introspect', { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...bearer((await keyOf()).secret) } });

  assert.equal(((await response.json()) as Json).active, true);
});

test('[INT-01] only an authenticated POST is answered; anything else is 401 with a challenge, or 405', async () => {
  const { request, post, tokens, keyOf } = await stage();
  const { access_token } = await tokens();
  const { secret } = await keyOf();
  const unknownKey = newKey().secret;

  assert.equal((await request('/introspect', { headers: bearer(secret) })).status, 405);
  for (const headers of [{}, bearer(unknownKey), bearer(`${secret.slice(0, -1)}!`), bearer(access_token), bearer('aat_x'), { Authorization: 'Bearer' }]) {
    const response = await post('/introspect', { token: access_token }, headers);
    assert.equal(response.status, 401, JSON.stringify(headers));
    assert.match(response.headers.get('www-authenticate') ?? '', /^(Bearer|Basic) realm="/);
    assert.equal((await errorOf(response)).error, 'invalid_client');
  }
});

test('[INT-01] a revoked key, an ended key and the key of a removed server are 401 from the next request on', async () => {
  const scene = await stage();
  const { access_token } = await scene.tokens();
  const [revoked, ended] = [await scene.keyOf(), await scene.keyOf()];
  const ask = (secret: string, token = access_token) => scene.post('/introspect', { token }, bearer(secret));
  assert.equal((await ask(revoked.secret)).status, 200);

  await scene.store.revokeKey(scene.mcp.id, revoked.id, auditEvent('key.revoked', scene.clock.now(), 'test'));

  assert.equal((await ask(revoked.secret)).status, 401);
  assert.equal((await ask(revoked.secret, 'unknown')).status, 401);
  scene.clock.advance(86400);
  assert.equal((await ask(ended.secret)).status, 401);
  const last = await scene.keyOf();
  await scene.store.removeServer(scene.mcp.id, auditEvent('server.removed', scene.clock.now(), 'test'));
  assert.equal((await ask(last.secret)).status, 401);
});

test('[INT-01] the id of a key in place of its secret is told so in one sentence', async () => {
  const { post, keyOf } = await stage();
  const { id } = await keyOf();

  const response = await post('/introspect', { token: 'x' }, bearer(id));

  const body = (await response.json()) as Json;
  assert.equal(response.status, 401);
  assert.equal(body.error, 'invalid_client');
  assert.equal(body.code, 'key_id_used_as_secret');
  assert.match(String(body.error_description), /key_secret/);
});

test('[INT-01] [CA-04] a key and a client secret in one request are invalid_request', async () => {
  const { post, keyOf } = await stage();

  assert.equal(
    (await errorOf(await post('/introspect', { token: 'x', client_id: 'a', client_secret: 'b' }, bearer((await keyOf()).secret)))).error,
    'invalid_request',
  );
});

test('[INT-02] unknown, malformed, changed, ended, revoked and foreign tokens are one and the same answer without another member', async () => {
  const scene = await stage();
  const other = await scene.addServer({ resource: 'https://other.example.com' });
  const good = (await scene.tokens()).access_token;
  const revoked = (await scene.tokens()).access_token;
  const foreign = (await scene.tokens({ resource: other.resource })).access_token;
  await scene.post('/revoke', { token: revoked, client_id: scene.client.id });
  const [header = '', payload = '', signature = ''] = good.split('.');
  const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
  const { secret } = await scene.keyOf();
  const ask = async (token: string) => (await scene.post('/introspect', { token }, bearer(secret))).text();

  for (const token of [
    'x',
    '..',
    'a.b.c',
    revoked,
    foreign,
    `${header}.${payload}.`,
    `${none}.${payload}.`,
    `${none}.${payload}.${signature}`,
    `${good}A`,
    ` ${good}`,
  ])
    assert.equal(await ask(token), inactive, token);
  assert.notEqual(await ask(good), inactive);
  scene.clock.advance(3600);
  assert.equal(await ask(good), inactive);
});

test('[INT-02] a token of another tenant is unknown here', async () => {
  const scene = await stage();
  await scene.server.storage.addTenant({ tenant: 'acme', name: 'Acme', createdAt: 0 });
  const { access_token } = await scene.tokens();
  const tenant = await scene.server.context('acme');
  const resource = scene.mcp.resource;
  await tenant?.store.addServer({ ...scene.mcp, id: 'srv_acme' }, auditEvent('server.added', 0, 'test'));
  const { id, secret, hash } = newKey();
  const row = { id, serverId: 'srv_acme', name: 'k', secretHash: hash, createdAt: 0, expiresAt: scene.clock.now() + 60 };
  await tenant?.store.addKey(row, auditEvent('key.created', 0, 'test'));

  const there = await scene.post('/t/acme/introspect', { token: access_token }, bearer(secret));
  const here = await scene.post('/introspect', { token: access_token }, bearer(secret));

  assert.equal(await there.text(), inactive, resource);
  assert.equal(here.status, 401);
});

test('[INT-02] a token of an earlier issuer, signed by the same key, is unknown after the server has moved', async () => {
  const scene = await stage();
  const { access_token } = await scene.tokens();
  const { secret } = await scene.keyOf();

  const moved = await testServer({ issuer: 'https://new.example.com', driver: scene.server.options.driver });

  assert.equal(await (await moved.request('/introspect', form({ token: access_token }, bearer(secret)))).text(), inactive);
});

test('[INT-03] a confidential client sees the tokens that were issued to it and no others; a public one sees nothing', async () => {
  const scene = await stage();
  const confidential = await scene.addClient({
    secret: 'cs_secret',
    metadata: { grantTypes: ['client_credentials'], scope: 'files:read' },
    defaultResource: scene.mcp.resource,
  });
  const header = basic(confidential.id, 'cs_secret');
  const mine = (await (await scene.post('/token', { grant_type: 'client_credentials' }, header)).json()) as { access_token: string };
  const theirs = (await scene.tokens()).access_token;

  const own = (await (await scene.post('/introspect', { token: mine.access_token }, header)).json()) as Json;

  assert.equal(own.active, true);
  assert.equal(own.client_id, confidential.id);
  assert.equal(await (await scene.post('/introspect', { token: theirs }, header)).text(), inactive);
  const asPublic = await scene.post('/introspect', { token: theirs, client_id: scene.client.id });
  assert.equal(asPublic.status, 401);
  assert.equal((await errorOf(asPublic)).error, 'invalid_client');
});

test('[INT-04] to its own client a token tells the e-mail address only within its scope, and not what the person took back', async () => {
  const scene = await stage();
  const client = await scene.addClient({ secret: 'cs_secret' });
  const told = async (scope: string[], remove: string[] = []) => {
    const { code, grant } = await scene.code({ client, scope });
    const { access_token: token } = (await (await scene.post('/token', redemption(client, code), basic(client.id, 'cs_secret'))).json()) as Tokens;
    const event = auditEvent('grant.reduced', scene.clock.now(), 'test');
    if (remove.length > 0) await scene.store.reduceAgent({ userId: scene.user.id, grantId: grant.id, remove }, event);
    const { active, username, email } = (await (await scene.post('/introspect', { token }, basic(client.id, 'cs_secret'))).json()) as Json;
    return [active, username, email];
  };

  assert.deepEqual(await told(['files:read']), [true, 'ada', undefined]);
  assert.deepEqual(await told(['openid', 'profile']), [true, 'ada', undefined]);
  assert.deepEqual(await told(['openid', 'email']), [true, 'ada', 'ada@example.com']);
  assert.deepEqual(await told(['openid', 'profile', 'email'], ['email']), [true, 'ada', undefined]);
});

test('[INT-02] what a remembered token says never outlives its grant, its person or its own revocation', async () => {
  const scene = await stage();
  const first = (await scene.tokens()).access_token;
  assert.equal((await scene.introspect(first)).active, true);
  assert.equal((await scene.introspect(first)).active, true);

  await scene.store.setUserDisabled(scene.user.id, true, auditEvent('user.disabled', scene.clock.now(), 'test'));
  assert.deepEqual(await scene.introspect(first), { active: false });
  await scene.store.setUserDisabled(scene.user.id, false, auditEvent('user.enabled', scene.clock.now(), 'test'));
  assert.equal((await scene.introspect(first)).active, true);
  await scene.post('/revoke', { token: first, client_id: scene.client.id });
  assert.deepEqual(await scene.introspect(first), { active: false });
});

test('[INT-05] refresh tokens are inactive, and a wrong hint changes nothing', async () => {
  const { tokens, post, keyOf } = await stage();
  const { access_token, refresh_token } = await tokens();
  const header = bearer((await keyOf()).secret);

  assert.equal(await (await post('/introspect', { token: refresh_token, token_type_hint: 'refresh_token' }, header)).text(), inactive);
  const answer = (await (await post('/introspect', { token: access_token, token_type_hint: 'refresh_token' }, header)).json()) as Json;
  assert.equal(answer.active, true);
});

test('[INT-06] [HDR-01] answers are for no cache, also the refusals', async () => {
  const { post, keyOf } = await stage();
  const header = bearer((await keyOf()).secret);

  for (const response of [await post('/introspect', { token: 'x' }, header), await post('/introspect', {}, header), await post('/introspect', { token: 'x' })])
    assert.equal(response.headers.get('cache-control'), 'no-store');
});

test('[INT-07] a missing token is invalid_request for whoever proved who it is', async () => {
  const { post, keyOf } = await stage();

  assert.deepEqual((await errorOf(await post('/introspect', {}, bearer((await keyOf()).secret)))).error, 'invalid_request');
  assert.equal((await errorOf(await post('/introspect', {}, bearer(newKey().secret)))).error, 'invalid_client');
});

test('[INT-07] a flood of made-up tokens is 429 for this key, not for another, and not for tokens seen before', async () => {
  const scene = await stage();
  const { access_token } = await scene.tokens();
  const [flooding, calm] = [await scene.keyOf(), await scene.keyOf()];
  const ask = (token: string, secret: string) => scene.post('/introspect', { token }, bearer(secret));
  await ask(access_token, flooding.secret);

  let last: Response | undefined;
  for (let count = 0; count <= nodePolicies['introspect.unseen'].limit; count++) last = await ask('made up', flooding.secret);

  assert.equal(last?.status, 429);
  assert.equal(last?.headers.get('retry-after'), '1');
  assert.equal((await ask(access_token, flooding.secret)).status, 200);
  assert.equal((await ask('made up', calm.secret)).status, 200);
  scene.clock.advance(1);
  assert.equal((await ask('made up', flooding.secret)).status, 200);
});

test('[CORS-06] no web page reads an introspection', async () => {
  const { request, post, keyOf } = await stage();
  const origin = { Origin: 'https://evil.example.com' };

  const preflight = await request('/introspect', { method: 'OPTIONS', headers: { ...origin, 'Access-Control-Request-Method': 'POST' } });
  const answer = await post('/introspect', { token: 'x' }, { ...origin, ...bearer((await keyOf()).secret) });

  assert.equal(preflight.status, 405);
  for (const response of [preflight, answer]) assert.equal(response.headers.get('access-control-allow-origin'), null);
});

test('[TOK-01] a token in the query is refused, where logs would keep it', async () => {
  const { request, keyOf } = await stage();

  assert.equal((await errorOf(await request('/introspect?token=x', form({ token: 'x' }, bearer((await keyOf()).secret))))).error, 'invalid_request');
});
