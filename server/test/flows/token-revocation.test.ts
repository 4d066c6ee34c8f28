import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customFetch, None, processRevocationResponse, revocationRequest } from 'oauth4webapi';
import { issuer } from '../harness.ts';
import { basic, bearer, errorOf, type Json, stage, type Tokens } from './token-stage.ts';

test('[REV-04] [REV-01] revoking a refresh token ends its grant: access tokens at the next introspection, and refreshing', async () => {
  const scene = await stage();
  const first = await scene.tokens();
  const second = (await (await scene.refresh(first.refresh_token)).json()) as Tokens;

  const response = await scene.post('/revoke', { token: second.refresh_token, client_id: scene.client.id });

  assert.equal(response.status, 200);
  assert.equal(await response.text(), '');
  for (const { access_token } of [first, second]) assert.deepEqual(await scene.introspect(access_token), { active: false });
  assert.equal((await errorOf(await scene.refresh(second.refresh_token))).error, 'invalid_grant');
  const [event] = await scene.store.listEvents({ type: 'grant.revoked', limit: 5 });
  assert.equal(event?.actor, `client:${scene.client.id}`);
  assert.equal(event?.userId, scene.user.id);
});

test('[REV-04] revoking an access token ends this one only, and is recorded', async () => {
  const scene = await stage();
  const first = await scene.tokens();
  const second = (await (await scene.refresh(first.refresh_token)).json()) as Tokens;

  assert.equal((await scene.post('/revoke', { token: first.access_token, client_id: scene.client.id })).status, 200);

  assert.deepEqual(await scene.introspect(first.access_token), { active: false });
  assert.equal((await scene.introspect(second.access_token)).active, true);
  assert.equal((await scene.refresh(second.refresh_token)).status, 200);
  assert.equal((await scene.store.listEvents({ type: 'token.revoked', limit: 5 })).length, 1);
});

test('[REV-04] revoking an access token again changes nothing and records nothing', async () => {
  const scene = await stage();
  const { access_token: token } = await scene.tokens();
  const revoke = async () => (await scene.post('/revoke', { token, client_id: scene.client.id })).status;

  assert.deepEqual(await Promise.all([revoke(), revoke(), revoke()]), [200, 200, 200]);
  assert.equal(await revoke(), 200);

  assert.equal((await scene.store.listEvents({ type: 'token.revoked', limit: 5 })).length, 1);
});

test('[REV-04] an older refresh token of the family ends the grant as well', async () => {
  const scene = await stage();
  const first = await scene.tokens();
  const second = (await (await scene.refresh(first.refresh_token)).json()) as Tokens;

  await scene.post('/revoke', { token: first.refresh_token, client_id: scene.client.id });

  assert.deepEqual(await scene.introspect(second.access_token), { active: false });
});

test('[REV-01] an independent client revokes in the standard way', async () => {
  const scene = await stage();
  const { access_token } = await scene.tokens();
  const as = { issuer, revocation_endpoint: `${issuer}/revoke` };

  const response = await revocationRequest(as, { client_id: scene.client.id }, None(), access_token, { [customFetch]: scene.request as typeof fetch });

  assert.equal(await processRevocationResponse(response), undefined);
  assert.deepEqual(await scene.introspect(access_token), { active: false });
});

test('[REV-01] who does not prove who it is ends nothing: 401 invalid_client', async () => {
  const scene = await stage();
  const confidential = await scene.addClient({ secret: 'cs_secret' });
  const { access_token } = await scene.tokens({ client: scene.client });

  for (const [values, headers] of [
    [{}, {}],
    [{ client_id: 'client_unknown' }, {}],
    [{ client_id: confidential.id }, {}],
    [{}, basic(confidential.id, 'wrong')],
    [{}, bearer('sk_000000000000_x')],
  ] as const) {
    const response = await scene.post('/revoke', { token: access_token, ...values }, headers);
    assert.equal(response.status, 401);
    assert.equal((await errorOf(response)).error, 'invalid_client');
  }
  assert.equal((await scene.introspect(access_token)).active, true);
});

test('[REV-02] unknown, ended and already revoked tokens are 200, empty', async () => {
  const scene = await stage();
  const { access_token, refresh_token } = await scene.tokens();
  const send = (token: string) => scene.post('/revoke', { token, client_id: scene.client.id });
  await send(refresh_token);
  await send(access_token);

  for (const token of ['unknown', 'rt_unknown', `rt_${'A'.repeat(64)}`, 'a.b.c', access_token, refresh_token]) {
    const response = await send(token);
    assert.equal(response.status, 200, token);
    assert.equal(await response.text(), '');
  }
  scene.clock.advance(3601);
  assert.equal((await send(access_token)).status, 200);
});

test('[REV-03] the tokens of another client stay alive, and the caller is told', async () => {
  const scene = await stage();
  const other = await scene.addClient();
  const { access_token, refresh_token } = await scene.tokens();

  for (const token of [access_token, refresh_token]) {
    const answer = await errorOf(await scene.post('/revoke', { token, client_id: other.id }));
    assert.deepEqual([answer.status, answer.error], [400, 'invalid_request']);
  }

  assert.equal((await scene.introspect(access_token)).active, true);
  assert.equal((await scene.refresh(refresh_token)).status, 200);
});

test('[REV-01] [REV-03] the MCP server that a token is for may end it with its key; the key of another server may not', async () => {
  const scene = await stage();
  const other = await scene.addServer({ resource: 'https://other.example.com' });
  const { access_token, refresh_token } = await scene.tokens();

  const foreign = await scene.post('/revoke', { token: access_token }, bearer((await scene.keyOf(other)).secret));
  assert.equal((await errorOf(foreign)).error, 'invalid_request');
  assert.equal((await scene.introspect(access_token)).active, true);

  const { id, secret } = await scene.keyOf();
  assert.equal((await scene.post('/revoke', { token: access_token }, bearer(secret))).status, 200);
  assert.deepEqual(await scene.introspect(access_token), { active: false });
  assert.equal((await scene.store.listEvents({ type: 'token.revoked', limit: 5 }))[0]?.actor, `key:${id}`);
  assert.equal((await scene.post('/revoke', { token: refresh_token }, bearer(secret))).status, 200);
  assert.equal((await errorOf(await scene.refresh(refresh_token))).error, 'invalid_grant');
});

test('[REV-05] a wrong or unknown hint is ignored and a missing token is invalid_request', async () => {
  const scene = await stage();
  const { access_token } = await scene.tokens();
  const client_id = scene.client.id;

  assert.equal((await errorOf(await scene.post('/revoke', { client_id }))).error, 'invalid_request');
  for (const token_type_hint of ['refresh_token', 'bogus'])
    assert.equal((await scene.post('/revoke', { token: access_token, token_type_hint, client_id })).status, 200);
  assert.deepEqual(await scene.introspect(access_token), { active: false });
});

test('[REV-05] codes and API keys are unsupported_token_type: nobody shall believe they are gone', async () => {
  const scene = await stage();
  const { secret } = await scene.keyOf();

  for (const token of [secret, 'ac_code', 'aat_owner'])
    assert.deepEqual((await errorOf(await scene.post('/revoke', { token, client_id: scene.client.id }))).error, 'unsupported_token_type');
});

test('[REV-06] [CORS-05] browser clients may revoke and read userinfo', async () => {
  const scene = await stage();
  const headers = { Origin: 'http://localhost:6274', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' };

  for (const path of ['/revoke', '/userinfo']) {
    const preflight = await scene.request(path, { method: 'OPTIONS', headers });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
    assert.equal((await scene.request(path, { method: 'POST', headers: { Origin: headers.Origin } })).headers.get('access-control-allow-origin'), '*');
  }
});

test('[TOK-01] a token in the query of /revoke is refused', async () => {
  const { request, client } = await stage();

  const response = await request('/revoke?token=x', { method: 'POST', body: new URLSearchParams({ client_id: client.id, token: 'x' }) });

  assert.equal(((await response.json()) as Json).error, 'invalid_request');
});
