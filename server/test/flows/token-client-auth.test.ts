import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import { clientSecretHash } from '../../src/clients/secret.ts';
import { form, issuer, start } from '../harness.ts';
import { forged } from '../signer.ts';
import { basic, errorOf, type Stage, stage } from './token-stage.ts';

const machine = { metadata: { grantTypes: ['client_credentials'], scope: 'files:read', redirectUris: [] }, defaultResource: 'https://mcp.example.com/mcp' };
const ask = { grant_type: 'client_credentials' };

async function withMachine(secret = 'cs_secret', id = 'machine'): Promise<Stage> {
  const scene = await stage();
  await scene.addClient({ ...machine, id, secret });
  return scene;
}

test('[CA-01] [CA-05] a secret is good in the header and in the body, whichever of the two was registered', async () => {
  const { post } = await withMachine();

  assert.equal((await post('/token', ask, basic('machine', 'cs_secret'))).status, 200);
  assert.equal((await post('/token', { ...ask, client_id: 'machine', client_secret: 'cs_secret' })).status, 200);
});

test('[CA-02] Basic credentials are read form-encoded, as the Python SDK sends them, and raw, as the TypeScript SDK does', async () => {
  const secret = 'p%41ss+wo:rd/ä';
  const { post } = await withMachine(secret, 'my client');
  const encoded = new URLSearchParams({ a: secret }).toString().slice(2);

  assert.equal((await post('/token', ask, basic('my+client', encoded))).status, 200);
  assert.equal((await post('/token', ask, basic('my client', secret))).status, 200);
  assert.equal((await post('/token', ask, basic('my%20client', encodeURIComponent(secret)))).status, 200);
});

test('[CA-02] [CA-03] a Basic header that cannot be read is 401 with a challenge', async () => {
  const { post } = await withMachine();
  const encode = (text: string) => Buffer.from(text).toString('base64');

  for (const header of ['Basic', 'Basic !!!', `Basic ${encode('nocolon')}`, `Basic ${encode(':secret')}`, 'Digest x', 'Bearer abc']) {
    const response = await post('/token', ask, { Authorization: header });
    assert.equal(response.status, 401, header);
    assert.match(response.headers.get('www-authenticate') ?? '', /^Basic realm="/);
    assert.equal((await errorOf(response)).error, 'invalid_client');
  }
});

test('[CA-03] [TOK-05] a wrong secret is 401 invalid_client as JSON, in the header with a Basic challenge', async () => {
  const { post } = await withMachine();

  const inHeader = await post('/token', ask, basic('machine', 'wrong'));
  const inBody = await post('/token', { ...ask, client_id: 'machine', client_secret: 'wrong' });

  assert.match(inHeader.headers.get('www-authenticate') ?? '', /^Basic realm="/);
  for (const response of [inHeader, inBody]) {
    assert.equal(response.status, 401);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.equal((await errorOf(response)).error, 'invalid_client');
  }
});

test('[CA-04] two ways of authentication in one request are invalid_request', async () => {
  const { post } = await withMachine();
  const header = basic('machine', 'cs_secret');
  const assertion = { client_assertion: 'x.y.z', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' };

  for (const [values, headers] of [
    [{ ...ask, client_secret: 'cs_secret' }, header],
    [{ ...ask, ...assertion }, header],
    [{ ...ask, ...assertion, client_id: 'machine', client_secret: 'cs_secret' }, {}],
  ] as const)
    assert.deepEqual([(await errorOf(await post('/token', values, headers))).error], ['invalid_request']);
});

test('[CA-04] a client_id in the body is fine when it is the authenticated one, and an empty secret is none', async () => {
  const { post } = await withMachine();
  const header = basic('machine', 'cs_secret');

  assert.equal((await post('/token', { ...ask, client_id: 'machine', client_secret: '' }, header)).status, 200);
  assert.equal((await errorOf(await post('/token', { ...ask, client_id: 'other' }, header))).error, 'invalid_request');
});

test('[CA-05] a public client that sends a secret and a confidential one that sends none are refused', async () => {
  const { post, client } = await withMachine();

  const requests: Record<string, string>[] = [
    { grant_type: 'refresh_token', refresh_token: 'rt_x', client_id: client.id, client_secret: 'anything' },
    { ...ask, client_id: 'machine' },
  ];
  for (const values of requests) assert.deepEqual((await errorOf(await post('/token', values))).error, 'invalid_client');
});

test('[CA-05] a secret that has ended is refused', async () => {
  const { post, clock, addClient } = await stage();
  await addClient({ ...machine, id: 'short', secret: 'cs_secret', secretExpiresAt: clock.now() + 60 });
  const header = basic('short', 'cs_secret');

  assert.equal((await post('/token', ask, header)).status, 200);
  clock.advance(60);
  assert.equal((await errorOf(await post('/token', ask, header))).error, 'invalid_client');
});

test('[CA-09] client_secret_jwt is not offered: an assertion under the secret is refused, and no MAC is advertised', async () => {
  const { post, request } = await withMachine();
  const claims = { iss: 'machine', sub: 'machine', aud: issuer, exp: start + 60, jti: '1' };
  const signed = forged({ alg: 'HS256' }, claims, (input) => createHmac('sha256', 'cs_secret').update(input).digest());
  const assertion = { client_assertion: signed, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' };

  const answer = await errorOf(await post('/token', { ...ask, client_id: 'machine', ...assertion }));

  assert.deepEqual([answer.status, answer.error], [401, 'invalid_client']);
  const metadata = await (await request('/.well-known/oauth-authorization-server')).text();
  assert.doesNotMatch(metadata, /client_secret_jwt|HS256/);
});

test('[CA-11] guessing is slowed down for this client from this address, for the right secret too', async () => {
  const { post, request, clock, client } = await withMachine();
  const from = (address: string, secret: string) =>
    request('/token', {
      method: 'POST',
      body: 'grant_type=client_credentials',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...basic('machine', secret) },
      address,
    });

  const statuses: number[] = [];
  for (let guess = 0; guess < 5; guess++) statuses.push((await from('198.51.100.1', `guess ${guess}`)).status);
  const blocked = await from('198.51.100.1', 'cs_secret');

  assert.deepEqual(statuses.slice(0, 3), [401, 401, 401]);
  assert.equal(statuses.at(-1), 429);
  assert.equal(blocked.status, 429);
  assert.match(blocked.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  assert.deepEqual((await errorOf(blocked)).error, 'too_many_requests');
  assert.equal((await from('198.51.100.2', 'cs_secret')).status, 200, 'elsewhere the good client goes on');
  assert.equal((await post('/token', { grant_type: 'refresh_token', refresh_token: 'x', client_id: client.id })).status, 400, 'another client too');
  clock.advance(900);
  assert.equal((await from('198.51.100.1', 'cs_secret')).status, 200, 'and after a while here as well');
});

test('[CA-11] a good secret between bad ones forgives them', async () => {
  const { post } = await withMachine();

  for (let round = 0; round < 5; round++) {
    for (let guess = 0; guess < 2; guess++) assert.equal((await post('/token', ask, basic('machine', 'wrong'))).status, 401);
    assert.equal((await post('/token', ask, basic('machine', 'cs_secret'))).status, 200);
  }
});

test('[CA-12] [D18] an unknown client is answered like a wrong secret, and so is a removed one', async () => {
  const { post, store, clock, client } = await withMachine();
  const wrong = await post('/token', ask, basic('machine', 'wrong'));
  await store.removeClient('machine', auditEvent('client.removed', clock.now(), 'test'));

  const unknown = await post('/token', ask, basic('nobody', 'wrong'));
  const removed = await post('/token', ask, basic('machine', 'cs_secret'));
  await store.removeClient(client.id, auditEvent('client.removed', clock.now(), 'test'));
  const publicRemoved = await post('/token', { grant_type: 'refresh_token', refresh_token: 'rt_x', client_id: client.id });
  const publicUnknown = await post('/token', { grant_type: 'refresh_token', refresh_token: 'rt_x', client_id: 'client_gone' });

  const expected = await wrong.json();
  for (const response of [unknown, removed, publicRemoved, publicUnknown]) {
    assert.equal(response.status, 401);
    assert.deepEqual(await response.json(), expected);
  }
});

test('[CA-11] made-up client ids fill neither the database nor an IPv6 network of addresses', async () => {
  const { request, server } = await withMachine();
  const guess = (id: string, address: string) => request('/token', { ...form({ grant_type: 'client_credentials' }, basic(id, 'wrong')), address });
  const many = (count: number, make: (index: number) => Promise<Response>) => Promise.all(Array.from({ length: count }, (_, index) => make(index)));

  await many(300, (index) => guess('machine', `2001:db8::${index.toString(16)}`));
  const [machine] = await server.options.driver.read({ text: 'select count(*) as rows from attempts', values: [] });
  await many(6000, (index) => guess(`made up ${index}`, '198.51.100.9'));
  const [madeUp] = await server.options.driver.read({ text: 'select count(*) as rows from attempts', values: [] });

  assert.equal(machine?.rows, 1);
  assert.ok(Number(madeUp?.rows) <= 4097, String(madeUp?.rows));
});

test('[D18] an unknown public client is told so as often as it asks: it registers again only after invalid_client', async () => {
  const { post, server } = await stage();

  for (let tries = 0; tries < 8; tries++)
    assert.equal((await post('/token', { grant_type: 'refresh_token', refresh_token: 'rt_x', client_id: 'client_gone' })).status, 401);

  assert.deepEqual(await server.options.driver.read({ text: 'select * from attempts', values: [] }), []);
});

test('[CA-14] while a client changes its secret both work, then the older one ends by itself', async () => {
  const { post, store, context, clock } = await withMachine();
  const secretHash = clientSecretHash(context, 'machine', 'cs_next');
  await store.addClientSecret({ id: 'machine', secretHash, olderExpiresAt: clock.now() + 3600 }, auditEvent('client.secret_added', clock.now(), 'test'));
  const works = async (secret: string) => (await post('/token', ask, basic('machine', secret))).status === 200;

  assert.deepEqual([await works('cs_secret'), await works('cs_next'), await works('cs_other')], [true, true, false]);
  clock.advance(3600);
  assert.deepEqual([await works('cs_secret'), await works('cs_next')], [false, true]);
});
