/**
 * A code that is bound to a key from the authorization request on (RFC 9449 §10).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signInAndDecide } from '../browser.ts';
import { proofKey, proven } from '../dpop.ts';
import { form, issuer, pkce } from '../harness.ts';
import { answerOf, loopback, password, type Stage, stage } from './authorize-stage.ts';
import { errorOf } from './token-stage.ts';

test('[AZ-33] [DPA-05] dpop_jkt goes from the request through consent to the code, which is then good with that key only', async () => {
  const on = await stage();
  const [key, thief] = [await proofKey(), await proofKey()];
  const browser = on.browser();
  const back = await signInAndDecide(on.url({ dpop_jkt: key.jkt }), { username: on.user.username, password, decision: 'allow' }, { browser });
  const { code = '' } = answerOf(back);
  const fields = { grant_type: 'authorization_code', client_id: on.client.id, code, code_verifier: pkce.verifier, redirect_uri: loopback };
  const redeem = (headers: Record<string, string>) => on.request('/token', form(fields, headers));

  const [none, stolen, own] = [await redeem({}), await redeem(await proven(thief)), await redeem(await proven(key))];

  assert.deepEqual([none.status, ((await none.json()) as { error: string }).error], [400, 'invalid_dpop_proof']);
  assert.deepEqual([stolen.status, ((await stolen.json()) as { error: string }).error], [400, 'invalid_grant']);
  assert.deepEqual([own.status, ((await own.json()) as { token_type: string }).token_type], [200, 'DPoP']);
  await on.close();
});

test('[AZ-33] a dpop_jkt that is no thumbprint, or that comes twice, is invalid_request for the client', async () => {
  const on = await stage();
  const { jkt } = await proofKey();

  for (const url of [on.url({ dpop_jkt: 'short' }), on.url({ dpop_jkt: `${jkt}=` }), `${on.url({ dpop_jkt: jkt })}&dpop_jkt=${jkt}`]) {
    const response = await on.request(url);
    assert.equal(answerOf(response.headers.get('location') ?? '').error, 'invalid_request', url);
  }
  await on.close();
});

test('[PAR-06] a proof sent with a pushed request binds the code as dpop_jkt does', async () => {
  const on = await stage();
  const [key, thief] = [await proofKey(), await proofKey()];
  const { request_uri } = (await (await push(on, {}, await proven(key, { htu: `${issuer}/par` }))).json()) as { request_uri: string };
  const url = `${issuer}/authorize?${new URLSearchParams({ client_id: on.client.id, request_uri })}`;
  const back = await signInAndDecide(url, { username: on.user.username, password, decision: 'allow' }, { browser: on.browser() });
  const { code = '' } = answerOf(back);
  const fields = { grant_type: 'authorization_code', client_id: on.client.id, code, code_verifier: pkce.verifier };

  assert.equal((await errorOf(await on.request('/token', form(fields)))).error, 'invalid_dpop_proof');
  assert.equal((await errorOf(await on.request('/token', form(fields, await proven(thief))))).error, 'invalid_grant');
  assert.equal((await on.request('/token', form(fields, await proven(key)))).status, 200);
  await on.close();
});

test('[PAR-06] proof and dpop_jkt name one key, and the proof is for this address, once', async () => {
  const on = await stage();
  const [key, other] = [await proofKey(), await proofKey()];
  const header = await proven(key, { htu: `${issuer}/par` });

  const differing = await push(on, { dpop_jkt: other.jkt }, header);
  const same = await push(on, { dpop_jkt: key.jkt }, header);
  const replayed = await push(on, {}, header);
  const elsewhere = await push(on, {}, await proven(key));

  assert.deepEqual(await errorOf(differing), { status: 400, error: 'invalid_request', description: 'dpop_jkt is not the key of the DPoP proof' });
  assert.equal(same.status, 201);
  assert.deepEqual(await errorOf(replayed), { status: 400, error: 'invalid_dpop_proof', description: 'The DPoP proof is not valid: it was used before' });
  assert.equal((await errorOf(elsewhere)).description, 'The DPoP proof is not valid: its htu is another address');
  await on.close();
});

test('[PAR-06] [DPA-04] with nonces on, a pushed request is told the nonce too, and tells the next one', async () => {
  const on = await stage({ dpopNonces: true });
  const key = await proofKey();
  const ask = async (nonce?: string) => push(on, {}, await proven(key, { htu: `${issuer}/par`, nonce, iat: on.clock.now() }));

  const first = await ask();
  const nonce = first.headers.get('dpop-nonce') ?? '';
  const second = await ask(nonce);
  on.clock.advance(120);
  const third = await ask(nonce);

  assert.deepEqual([first.status, (await errorOf(first)).error], [400, 'use_dpop_nonce']);
  assert.deepEqual([second.status, second.headers.get('dpop-nonce')], [201, null]);
  assert.equal(third.status, 201);
  assert.match(third.headers.get('dpop-nonce') ?? '', /^[A-Za-z0-9_-]{43}$/);
  await on.close();
});

function push(on: Stage, more: Record<string, string>, headers: Record<string, string>): Promise<Response> {
  return on.request('/par', form({ ...Object.fromEntries(new URL(on.url()).searchParams), ...more }, headers));
}
