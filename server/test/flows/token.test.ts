import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageUnavailable } from '../../src/storage/driver.ts';
import { form, pkce } from '../harness.ts';
import { basic, errorOf, redemption, type Stage, stage, type Tokens } from './token-stage.ts';

const json = (body: unknown): RequestInit => ({
  method: 'POST',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'Content-Type': 'application/json' },
});

test('[TOK-01] only POST is taken, and the answer says so', async () => {
  const { request } = await stage();

  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD']) {
    const response = await request('/token', { method });
    assert.equal(response.status, 405, method);
    assert.equal(response.headers.get('allow'), 'POST, OPTIONS');
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
  }
});

test('[TOK-01] a form with a charset and a JSON object with string members are read alike', async () => {
  const { request, client, code } = await stage();
  const asForm = form(redemption(client, (await code()).code), { 'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8' });
  const asJson = json({ ...redemption(client, (await code()).code), scope: null });

  assert.equal((await request('/token', asForm)).status, 200);
  assert.equal((await request('/token', asJson)).status, 200);
});

test('[TOK-01] other content types, broken JSON and members that are no strings are invalid_request', async () => {
  const { request, client } = await stage();
  const multipart = new FormData();
  multipart.set('grant_type', 'refresh_token');

  const bodies: RequestInit[] = [
    { method: 'POST', body: multipart },
    { method: 'POST', body: 'grant_type=refresh_token', headers: { 'Content-Type': 'text/plain' } },
    { method: 'POST' },
    json('{"grant_type":'),
    json('[]'),
    json('null'),
    json({ grant_type: ['refresh_token'], client_id: client.id }),
    json({ grant_type: 7 }),
  ];
  for (const body of bodies) assert.deepEqual((await errorOf(await request('/token', body))).error, 'invalid_request');
});

test('[TOK-01] a secret in the query is refused; other query parameters are ignored', async () => {
  const { request, client, code } = await stage();
  const good = redemption(client, (await code()).code);

  for (const name of ['client_secret', 'code', 'code_verifier', 'refresh_token', 'client_assertion', 'password'])
    assert.deepEqual((await errorOf(await request(`/token?${name}=canary`, form(good)))).error, 'invalid_request', name);
  assert.equal((await request('/token?grant_type=password&client_id=other', form(good))).status, 200);
});

test('[TOK-02] a repeated parameter is invalid_request, in a form and in JSON', async () => {
  const { request, client, code } = await stage();
  const body = new URLSearchParams(redemption(client, (await code()).code)).toString();

  const twice = await request('/token', { ...form({}), body: `${body}&client_id=${client.id}` });
  const emptyToo = await request('/token', { ...form({}), body: `${body}&client_id=` });
  const inJson = await request('/token', json(`{"grant_type":"refresh_token","grant_type":"refresh_token","client_id":"${client.id}"}`));

  for (const response of [twice, emptyToo, inJson]) assert.deepEqual((await errorOf(response)).error, 'invalid_request');
});

test('[TOK-02] an empty parameter is absent and an unknown one ignored', async () => {
  const { post, client, code } = await stage();

  const response = await post('/token', { ...redemption(client, (await code()).code), client_secret: '', resource: '', scope: '', audience: 'x', foo: 'bar' });

  assert.equal(response.status, 200);
});

test('[TOK-03] missing, unknown and forbidden grant types have three different errors', async () => {
  const { post, client, addClient } = await stage();
  const codeOnly = await addClient({ metadata: { grantTypes: ['authorization_code'] } });

  const answers = [
    await errorOf(await post('/token', { client_id: client.id })),
    await errorOf(await post('/token', { client_id: client.id, grant_type: 'password', username: 'ada', password: 'x' })),
    await errorOf(await post('/token', { client_id: client.id, grant_type: 'constructor' })),
    await errorOf(await post('/token', { client_id: codeOnly.id, grant_type: 'refresh_token', refresh_token: 'rt_x' })),
  ];

  assert.deepEqual(
    answers.map(({ status, error }) => [status, error]),
    [
      [400, 'invalid_request'],
      [400, 'unsupported_grant_type'],
      [400, 'unsupported_grant_type'],
      [400, 'unauthorized_client'],
    ],
  );
});

test('[TOK-05] [HDR-01] [HDR-02] errors are JSON for no cache, with a page to read and nothing of the request in them', async () => {
  const { post, client } = await stage();

  const response = await post('/token', { ...redemption(client, '<script>canary</script>'), state: 'canary' });

  assert.equal(response.status, 400);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(response.headers.get('server'), null);
  const text = await response.text();
  assert.doesNotMatch(text, /canary|null|\n\s+at /);
  assert.deepEqual(Object.keys(JSON.parse(text)), ['error', 'error_description', 'error_uri']);
});

test('[TOK-05] an outage of the database is 503 with Retry-After, and nothing is told', async () => {
  const { post, client, context } = await stage();
  context.store.findClient = () => Promise.reject(new StorageUnavailable('canary host down'));

  const response = await post('/token', redemption(client, 'ac_x'));

  assert.equal(response.status, 503);
  assert.match(response.headers.get('retry-after') ?? '', /^\d+$/);
  assert.doesNotMatch(await response.text(), /canary/);
});

test('[TOK-08] the host says HSTS, and rows hold hashes of codes and tokens only', async () => {
  const { post, client, code, server } = await stage();
  const issued = await code();

  const response = await post('/token', redemption(client, issued.code));

  assert.match(response.headers.get('strict-transport-security') ?? '', /^max-age=\d{8}/);
  const tokens = (await response.json()) as Tokens;
  const { driver } = server.options;
  for (const table of ['codes', 'refresh_tokens', 'grants', 'audit_events', 'clients']) {
    const rows = JSON.stringify(await driver.read({ text: `select * from ${table}`, values: [] }));
    assert.equal(rows.includes(issued.code) || rows.includes(tokens.refresh_token) || rows.includes(tokens.access_token), false, table);
  }
});

test('[TOK-09] an access token lives one hour, and no configuration makes it more', async () => {
  const { tokens } = await stage();

  assert.equal((await tokens()).expires_in, 3600);
  await assert.rejects(stage({ accessTokenSeconds: 3601 }), TypeError);
});

test('[TOK-10] logs and events never hold what was presented or handed out', async () => {
  const scene: Stage = await stage();
  const confidential = await scene.addClient({ secret: 'cs_canary_secret' });
  const { access_token, refresh_token } = await scene.tokens();
  const { code } = await scene.code();
  const second = (await (await scene.refresh(refresh_token)).json()) as Tokens;
  const key = await scene.keyOf();

  await scene.post('/token', { ...redemption(scene.client, code), code_verifier: 'canary-verifier'.repeat(4) });
  await scene.post('/token', { grant_type: 'client_credentials' }, basic(confidential.id, 'canary-wrong-secret'));
  await scene.post('/introspect', { token: access_token }, { Authorization: `Bearer ${key.secret}x` });
  await scene.post('/revoke', { token: second.refresh_token, client_id: confidential.id });
  await scene.refresh(`${refresh_token.slice(0, -4)}AAAA`);

  const said = scene.logged.join('\n') + JSON.stringify(await scene.store.listEvents({ limit: 100 }));
  for (const secret of [access_token, refresh_token.slice(0, -4), second.refresh_token, code, pkce.verifier, key.secret, 'canary', 'cs_'])
    assert.equal(said.includes(secret), false, secret.slice(0, 12));
});

test('[CORS-04] [HDR-03] the token endpoint is open to browser clients, on errors too', async () => {
  const { request, post } = await stage();

  const preflight = await request('/token', {
    method: 'OPTIONS',
    headers: {
      Origin: 'http://localhost:6274',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization,mcp-protocol-version',
    },
  });
  const refused = await post('/token', { grant_type: 'password' }, { Origin: 'http://localhost:6274' });
  const unauthenticated = await post('/token', { grant_type: 'client_credentials' }, { Origin: 'http://localhost:6274', ...basic('x', 'y') });

  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
  assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /POST/);
  for (const name of ['Content-Type', 'Authorization', 'DPoP', 'MCP-Protocol-Version'])
    assert.match(preflight.headers.get('access-control-allow-headers') ?? '', new RegExp(name));
  assert.ok(Number(preflight.headers.get('access-control-max-age')) <= 86400);
  for (const response of [preflight, refused, unauthenticated]) {
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    assert.equal(response.headers.get('access-control-allow-credentials'), null);
    assert.match(response.headers.get('access-control-expose-headers') ?? '', /WWW-Authenticate.*Retry-After/);
  }
});

test('[TOK-03] the alias of the documents answers like the endpoint itself', async () => {
  const { request, client, code } = await stage();

  assert.equal((await request('/oauth/token', form(redemption(client, (await code()).code)))).status, 200);
});
