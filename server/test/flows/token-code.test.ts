import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import { MAX_CODE_FAILURES } from '../../src/storage/store.ts';
import { proofKey, proven } from '../dpop.ts';
import { issuer, pkce } from '../harness.ts';
import { basic, errorOf, redemption, redirectUri, stage, type Tokens } from './token-stage.ts';

test('[COD-05] [TOK-04] [TOK-11] [HDR-01] a public client redeems its code once for tokens that no cache may keep', async () => {
  const { client, code, post } = await stage();
  const issued = await code();

  const response = await post('/token', redemption(client, issued.code));

  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('pragma'), 'no-cache');
  const tokens = (await response.json()) as Tokens;
  assert.deepEqual(Object.keys(tokens).sort(), ['access_token', 'expires_in', 'refresh_token', 'scope', 'token_type']);
  assert.equal(tokens.token_type, 'Bearer');
  assert.equal(tokens.expires_in, 3600);
  assert.equal(tokens.scope, 'files:read files:write');
  assert.match(tokens.refresh_token, /^rt_[A-Za-z0-9_-]{64}$/);
});

test('[COD-01] an unknown, an expired, a used and a foreign code are one and the same invalid_grant', async () => {
  const { client, code, post, clock, addClient } = await stage();
  const other = await addClient();
  const expired = await code();
  clock.advance(61);
  const used = await code();
  await post('/token', redemption(client, used.code));
  const foreign = await code({ client: other });

  const answers = [];
  for (const value of ['ac_unknown', expired.code, used.code, foreign.code]) answers.push(await errorOf(await post('/token', redemption(client, value))));

  for (const answer of answers) assert.deepEqual(answer, { status: 400, error: 'invalid_grant', description: 'The code is not valid' });
});

test('[COD-01] a missing code is invalid_request', async () => {
  const { client, post } = await stage();
  const { code: _, ...values } = redemption(client, 'ac_x');

  assert.equal((await errorOf(await post('/token', values))).error, 'invalid_request');
});

test('[COD-02] a missing, malformed or wrong verifier is invalid_grant with the promised text', async () => {
  const { client, code, post } = await stage();
  const { code: value } = await code();
  const good = redemption(client, value);
  const { code_verifier: _, ...without } = good;

  assert.deepEqual(await errorOf(await post('/token', without)), { status: 400, error: 'invalid_grant', description: 'code_verifier is required' });
  for (const verifier of ['short', `${pkce.verifier.slice(0, -1)}A`, `${pkce.verifier}!`, pkce.verifier.repeat(4)])
    assert.deepEqual(await errorOf(await post('/token', { ...good, code_verifier: verifier })), {
      status: 400,
      error: 'invalid_grant',
      description: 'Invalid PKCE verifier',
    });
});

test('[COD-02] a wrong verifier is answered with exactly the body that was promised', async () => {
  const { client, code, post } = await stage();

  const response = await post('/token', { ...redemption(client, (await code()).code), code_verifier: 'a'.repeat(43) });

  const body = (await response.json()) as Record<string, string>;
  assert.deepEqual(Object.keys(body), ['error', 'error_description', 'error_uri']);
  assert.equal(body.error_uri, 'https://auth.example.com/docs/errors/invalid_grant');
});

test('[COD-03] a code without a challenge is never redeemed, with a verifier or without', async () => {
  const { client, code, post } = await stage();
  const { code: value } = await code({ codeChallenge: '' });
  const good = redemption(client, value);
  const { code_verifier: _, ...without } = good;

  assert.equal((await errorOf(await post('/token', good))).error, 'invalid_grant');
  assert.equal((await errorOf(await post('/token', without))).error, 'invalid_grant');
});

test('[COD-04] redirect_uri may be left out, and when sent is the same string', async () => {
  const { client, code, post } = await stage();
  const first = redemption(client, (await code()).code);
  const { redirect_uri: _, ...without } = redemption(client, (await code()).code);

  const different = await errorOf(await post('/token', { ...first, redirect_uri: 'http://localhost:4711/callback/' }));
  const same = await post('/token', first);
  const absent = await post('/token', without);

  assert.deepEqual([different.status, different.error], [400, 'invalid_grant']);
  assert.equal(same.status, 200);
  assert.equal(absent.status, 200);
});

test('[COD-05] without client_id nobody redeems', async () => {
  const { client, code, post } = await stage();
  const { client_id: _, ...without } = redemption(client, (await code()).code);

  assert.deepEqual((await errorOf(await post('/token', without))).error, 'invalid_client');
});

test('[COD-06] [D6] a fully valid replay ends the tokens that came of the code, and says so in the log of events', async () => {
  const { client, code, post, introspect, refresh, store } = await stage();
  const { code: value, grant } = await code();
  const tokens = (await (await post('/token', redemption(client, value))).json()) as Tokens;
  assert.equal((await introspect(tokens.access_token)).active, true);

  const replay = await errorOf(await post('/token', redemption(client, value)));

  assert.equal(replay.error, 'invalid_grant');
  assert.deepEqual(await introspect(tokens.access_token), { active: false });
  assert.equal((await errorOf(await refresh(tokens.refresh_token))).error, 'invalid_grant');
  const [event] = await store.listEvents({ grantId: grant.id, type: 'code.replayed', limit: 5 });
  assert.equal(event?.actor, `client:${client.id}`);
});

test('[COD-06] [D6] a replay that lacks the verifier, the secret or the redirect URI ends nothing', async () => {
  const { code, post, introspect, addClient } = await stage();
  const client = await addClient({ secret: 'cs_secret' });
  const { code: value } = await code({ client });
  const good = { ...redemption(client, value), client_secret: 'cs_secret' };
  const tokens = (await (await post('/token', good)).json()) as Tokens;

  const answers = [
    await errorOf(await post('/token', { ...good, code_verifier: 'b'.repeat(43) })),
    await errorOf(await post('/token', { ...good, redirect_uri: 'http://localhost/callback' })),
    await errorOf(await post('/token', { ...good, client_secret: 'wrong' })),
  ];

  assert.deepEqual(
    answers.map(({ error }) => error),
    ['invalid_grant', 'invalid_grant', 'invalid_client'],
  );
  assert.equal((await introspect(tokens.access_token)).active, true);
});

test('[COD-07] of parallel redemptions exactly one gets tokens, and the others count as replays', async () => {
  const { client, code, post, introspect } = await stage();
  const { code: value } = await code();

  const responses = await Promise.all(Array.from({ length: 20 }, () => post('/token', redemption(client, value))));

  const won = responses.filter(({ status }) => status === 200);
  assert.equal(won.length, 1);
  const tokens = (await won[0]?.json()) as Tokens;
  assert.deepEqual(await introspect(tokens.access_token), { active: false });
});

test('[COD-08] after five failed tries the code is dead for its own client too, and before that it still lives', async () => {
  const { client, code, post } = await stage();
  const tired = redemption(client, (await code()).code);
  const dead = redemption(client, (await code()).code);
  const fail = (values: Record<string, string>) => post('/token', { ...values, code_verifier: 'c'.repeat(43) });

  for (let tries = 1; tries < MAX_CODE_FAILURES; tries++) await fail(tired);
  for (let tries = 1; tries <= MAX_CODE_FAILURES; tries++) await fail(dead);

  assert.equal((await post('/token', tired)).status, 200);
  assert.deepEqual((await errorOf(await post('/token', dead))).description, 'The code is not valid');
});

test('[COD-08] tries of another client neither redeem the code nor wear it out', async () => {
  const { client, code, post, addClient } = await stage();
  const other = await addClient();
  const good = redemption(client, (await code()).code);

  for (let tries = 0; tries < 7; tries++) assert.equal((await post('/token', { ...good, client_id: other.id })).status, 400);

  assert.equal((await post('/token', good)).status, 200);
});

test('[COD-10] a refresh token goes to every client that has the grant, and to no other', async () => {
  const { tokens, addClient } = await stage();
  const without = await addClient({ metadata: { grantTypes: ['authorization_code'] } });

  assert.ok((await tokens()).refresh_token);
  assert.equal((await tokens({ client: without })).refresh_token, undefined);
});

test('[COD-10] by policy a refresh token is bound to offline_access', async () => {
  const { tokens } = await stage({ refreshTokens: 'offline_access' });

  assert.equal((await tokens()).refresh_token, undefined);
  assert.ok((await tokens({ scope: ['files:read', 'offline_access'] })).refresh_token);
});

test('[TOK-06] a wrong secret with a wrong code is invalid_client', async () => {
  const { post, addClient } = await stage();
  const client = await addClient({ secret: 'cs_secret' });
  const { client_id: _, ...values } = redemption(client, 'ac_wrong');

  assert.deepEqual((await errorOf(await post('/token', values, basic(client.id, 'wrong')))).error, 'invalid_client');
});

test('[TOK-07] resource at redemption is the granted one in any spelling, else invalid_target', async () => {
  const { client, code, post, mcp } = await stage();
  const good = redemption(client, (await code()).code);

  for (const resource of ['https://other.example.com/mcp', `${mcp.resource}/`, 'not a uri', `${mcp.resource}#x`])
    assert.equal((await errorOf(await post('/token', { ...good, resource }))).error, 'invalid_target');
  assert.equal((await post('/token', { ...good, resource: 'HTTPS://MCP.example.com:443/mcp' })).status, 200);
});

test('[TOK-07] a resource among several that was not granted is invalid_target', async () => {
  const { client, code, request, mcp } = await stage();
  const body = new URLSearchParams(redemption(client, (await code()).code));
  body.append('resource', mcp.resource);
  body.append('resource', 'https://other.example.com/mcp');

  const response = await request('/token', { method: 'POST', body, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });

  assert.equal((await errorOf(response)).error, 'invalid_target');
});

test('[TOK-12] a scope sent with the code changes nothing, be it less or more than was granted', async () => {
  const { client, code, post } = await stage();

  for (const scope of ['files:read', 'files:read files:write', 'files:read files:delete offline_access']) {
    const response = await post('/token', { ...redemption(client, (await code()).code), scope });
    assert.equal(((await response.json()) as Tokens).scope, 'files:read files:write');
  }
});

test('[RT-08] a code of somebody who was disabled meanwhile is worth nothing', async () => {
  const { client, code, post, store, user, clock } = await stage();
  const { code: value } = await code();
  await store.setUserDisabled(user.id, true, auditEvent('user.disabled', clock.now(), 'test'));

  assert.equal((await errorOf(await post('/token', redemption(client, value)))).error, 'invalid_grant');
});

test('[JWT-08] more scopes than fit in a token are refused before anybody is asked, and what is let through is never too long', async () => {
  const scene = await stage({ signingAlgorithm: 'RS256' });
  const scopes = Array.from({ length: 30 }, (_, index) => `scope-${index}:`.padEnd(128, 'x'));
  const many = await scene.addServer({ resource: 'https://many.example.com', scopes: scopes.map((name) => ({ name })) });
  const errorFor = async (count: number) => {
    const scope = scopes.slice(0, count).join(' ');
    const asked = { response_type: 'code', client_id: scene.client.id, redirect_uri: redirectUri, resource: many.resource, scope, state: 's' };
    const query = new URLSearchParams({ ...asked, code_challenge: pkce.challenge, code_challenge_method: 'S256' });
    const location = (await scene.request(`/authorize?${query}`)).headers.get('location') ?? '';
    return new URL(location, issuer).searchParams.get('error');
  };
  const errors = await Promise.all(scopes.map((_, index) => errorFor(index + 1)));
  const most = errors.filter((error) => error === null).length;

  assert.deepEqual(errors, [...Array(most).fill(null), ...Array(scopes.length - most).fill('invalid_scope')]);
  assert.ok(most > 10, String(most));
  const { code } = await scene.code({ resource: many.resource, scope: scopes.slice(0, most) });
  const response = await scene.post('/token', redemption(scene.client, code), await proven(await proofKey()));
  assert.equal(response.status, 200, await response.clone().text());
});
