/** Proves how clients are found: registered ones with their tombstones, and documents with cache, limits and last known good. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { issuer, testServer } from '../../test/harness.ts';
import { auditEvent } from '../audit/event.ts';
import type { Context } from '../context.ts';
import type { DocumentFetcher } from '../options.ts';
import { FetchFailure, type FetchFailureKind } from './fetch-failure.ts';
import { type FoundClient, findClient, findClientForToken } from './find.ts';
import { metadataDigest } from './metadata.ts';

const url = 'https://app.example/client';
const here = '203.0.113.7';
const answer = (members: Record<string, unknown> = {}, headers: Record<string, string> = {}, status = 200) => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: new TextEncoder().encode(JSON.stringify({ client_name: 'An app', redirect_uris: ['http://localhost/callback'], ...members })),
});

/** A host of documents: says what it was asked, and answers as told. */
async function withDocuments(clients: Record<string, unknown> = {}) {
  const asked: string[] = [];
  const host = { asked, next: async (asking: string): ReturnType<DocumentFetcher> => answer({ client_id: asking }) };
  const fetchDocument: DocumentFetcher = (asking) => {
    asked.push(asking);
    return host.next(asking);
  };
  const server = await testServer({ fetchDocument, clients }, []);
  return { server, host, find: (id = url, address = here) => findClient(id, server.context, address) };
}
const failing = (kind: FetchFailureKind, status?: number) => () => Promise.reject(new FetchFailure(kind, 'told so', status === undefined ? {} : { status }));
const told = (found: FoundClient) => (found.state === 'unavailable' ? `${found.error.code}: ${found.error.message}` : found.state);
const unavailable = (found: FoundClient) => assert.match(told(found), /^client_metadata_unavailable/);
const limited = (found: FoundClient) => assert.match(told(found), /^too_many_requests/);
const nameOf = (found: FoundClient) => (found.state === 'active' ? found.client.metadata.clientName : told(found));

test('a registered client is active, and unknown, removed and disabled ones are gone in three ways', async () => {
  const { context, store, addClient } = await testServer({}, []);
  const active = await addClient();
  const removed = await addClient();
  const disabled = await addClient({ disabledAt: 1 });
  await store.removeClient(removed.id, auditEvent('client.removed', context.now(), 'test'));
  const look = async (id: string) => {
    const found = await findClient(id, context, here);
    assert.deepEqual(await findClientForToken(id, context), found);
    return found.state === 'gone' ? found.reason : found.state;
  };

  assert.equal(await look(active.id), 'active');
  assert.equal(await look(removed.id), 'removed');
  assert.equal(await look(disabled.id), 'disabled');
  assert.equal(await look('client_never'), 'unknown');
  assert.equal(await look(''), 'unknown');
  assert.equal(await look('x'.repeat(100_000)), 'unknown');
});

test('a tombstone keeps its redirect URIs', async () => {
  const { context, store, addClient } = await testServer({}, []);
  const { id } = await addClient();
  await store.removeClient(id, auditEvent('client.removed', context.now(), 'test'));

  const found = await findClient(id, context, here);

  assert.deepEqual(found.state === 'gone' && found.client?.metadata.redirectUris, ['http://localhost/callback']);
});

test('[CIMD-08] the document of an address is a client with that id', async () => {
  const { find, host } = await withDocuments();

  const found = await find();

  assert.ok(found.state === 'active');
  assert.equal(found.client.id, url);
  assert.equal(found.client.registration, 'document');
  assert.equal(found.client.metadata.tokenEndpointAuthMethod, 'none');
  assert.deepEqual(host.asked, [url]);
});

test('[CIMD-01] [CIMD-19] [CIMD-20] an address that is no good on its face is refused without a fetch', async () => {
  const { find, host } = await withDocuments({ documentHosts: { deny: ['denied.example'] } });

  for (const id of ['https://app.example', 'https://app.example/../x', 'https://app.example/c?x', 'https://u@app.example/c', 'https://denied.example/c'])
    unavailable(await find(id));

  assert.deepEqual(host.asked, []);
});

test('documents that are switched off, or without a fetcher, are unknown clients', async () => {
  const { find, host, server } = await withDocuments({ documents: false });
  const without = await testServer({}, []);

  for (const found of [await find(), await findClientForToken(url, server.context), await findClient(url, without.context, here)])
    assert.deepEqual(found, { state: 'gone', reason: 'unknown' });
  assert.deepEqual(host.asked, []);
});

test('[CIMD-13] a document is fetched again when it is stale and not before', async () => {
  const { find, host, server } = await withDocuments();
  host.next = async (asking) => answer({ client_id: asking }, { 'cache-control': 'max-age=600' });

  await find();
  server.clock.advance(599);
  await find();
  assert.equal(host.asked.length, 1);
  server.clock.advance(1);
  await find();

  assert.equal(host.asked.length, 2);
});

test('[CIMD-12] [CIMD-14] a failure is not kept: the next request asks again and may succeed', async () => {
  const { find, host } = await withDocuments();
  for (const kind of ['refused', 'transport', 'timeout', 'too-large', 'encoding', 'status'] as const) {
    host.next = failing(kind, kind === 'status' ? 404 : undefined);
    unavailable(await find());
  }
  host.next = async () => answer({ client_id: 'https://other.example/client' });
  unavailable(await find());
  host.next = async () => Promise.reject(new TypeError('fetch failed'));
  unavailable(await find());

  host.next = async (asking) => answer({ client_id: asking });
  assert.equal(nameOf(await find()), 'An app');
  assert.equal(host.asked.length, 9);
});

test('[CIMD-14] a host that is refused and one that is not there look the same from outside', async () => {
  const { find, host } = await withDocuments();
  host.next = failing('refused');
  const refused = told(await find());
  host.next = failing('transport');

  assert.equal(told(await find()), refused);
});

test('[CIMD-14] the page says which rule a document breaks', async () => {
  const { find, host } = await withDocuments();
  host.next = async (asking) => answer({ client_id: asking, client_secret: 'x' });

  const found = await find();

  assert.ok(found.state === 'unavailable');
  assert.match(found.error.page?.forDeveloper ?? '', /must not contain client_secret/);
  assert.deepEqual(found.error.page?.details, [['address', url]]);
});

test('the last known good copy stands in while the host is out of reach, and no longer than a week', async () => {
  const { find, host, server } = await withDocuments();
  await find();
  for (const outage of [
    failing('transport'),
    failing('timeout'),
    failing('status', 503),
    async () => answer({}, {}, 502),
    async () => Promise.reject(new TypeError('network')),
  ]) {
    server.clock.advance(86400);
    host.next = outage;
    assert.equal(nameOf(await find()), 'An app');
  }
  server.clock.advance(3 * 86400);

  unavailable(await find());
});

test('[CIMD-12] the last known good copy never hides a statement of the publisher', async () => {
  const { find, host, server } = await withDocuments();
  await find();
  const statements = [
    failing('status', 404),
    failing('status', 410),
    failing('status', 403),
    failing('status', 302),
    failing('too-large'),
    failing('encoding'),
    failing('refused'),
  ];
  for (const statement of [...statements, async () => answer({ client_id: 'https://other.example/' }), async () => answer({}, {}, 404)]) {
    server.clock.advance(86400);
    host.next = statement;
    unavailable(await find());
  }
});

test('while a copy stands in, the host is asked at most once a minute', async () => {
  const { find, host, server } = await withDocuments();
  await find();
  server.clock.advance(86400);
  host.next = failing('transport');

  for (let sign = 0; sign < 50; sign++) assert.equal(nameOf(await find()), 'An app');
  assert.equal(host.asked.length, 2);
  server.clock.advance(60);
  await find();
  assert.equal(host.asked.length, 3);
});

test('[CIMD-16] a changed document is noticed, logged, and has another digest', async () => {
  const { find, host, server } = await withDocuments();
  const before = await find();
  server.clock.advance(86400);
  host.next = async (asking) => answer({ client_id: asking, redirect_uris: ['https://evil.example/cb'] });

  const after = await find();

  assert.ok(before.state === 'active' && after.state === 'active');
  assert.notEqual(metadataDigest(after.client.metadata), metadataDigest(before.client.metadata));
  assert.ok(server.logged.some((line) => line.startsWith('warn client_document.changed')));
});

test('[CIMD-20] concurrent requests for one address are one fetch', async () => {
  const { find, host } = await withDocuments();

  const found = await Promise.all(Array.from({ length: 30 }, () => find()));

  assert.equal(host.asked.length, 1);
  assert.ok(found.every(({ state }) => state === 'active'));
});

test('[CIMD-20] unknown documents of one host are fetched ten times a minute at most', async () => {
  const { find, host, server } = await withDocuments();
  for (let index = 0; index < 10; index++) assert.equal(nameOf(await find(`https://app.example/${index}`, `203.0.113.${index}`)), 'An app');

  const refused = await find('https://app.example:8443/11', '203.0.113.99');
  limited(refused);
  assert.ok(refused.state === 'unavailable' && Number(refused.error.headers['Retry-After']) > 0);
  assert.equal(nameOf(await find('https://other.example/1', '203.0.113.99')), 'An app');
  assert.equal(host.asked.length, 11);
  server.clock.advance(60);
  assert.equal(nameOf(await find('https://app.example/11', '203.0.113.99')), 'An app');
});

test('[CIMD-20] one address and everybody together are limited too', async () => {
  const { find } = await withDocuments();
  for (let index = 0; index < 20; index++) assert.equal(nameOf(await find(`https://host${index}.example/c`)), 'An app');
  limited(await find('https://host20.example/c'));
  for (let index = 20; index < 120; index++) assert.equal(nameOf(await find(`https://host${index}.example/c`, `198.51.100.${index}`)), 'An app');

  limited(await find('https://host120.example/c', '198.51.100.200'));
});

test('[CIMD-20] a flood of unknown addresses does not lock a known client of that host out', async () => {
  const { find, server } = await withDocuments();
  await find();
  server.clock.advance(86400);
  for (let index = 0; index < 30; index++) await find(`https://app.example/${index}`, `203.0.113.${index}`);

  assert.equal(nameOf(await find()), 'An app');
});

test('[CIMD-20] a known document that fails is not fetched without end', async () => {
  const { find, host, server } = await withDocuments();
  await find();
  server.clock.advance(86400);
  host.next = failing('status', 404);
  for (let index = 0; index < 10; index++) unavailable(await find());

  limited(await find());
  assert.equal(host.asked.length, 11);
});

test('a disabled document is gone, is not fetched, and a fetch does not enable it', async () => {
  const { find, host, server } = await withDocuments();
  await find();
  const saved = await server.store.findDocument(url);
  assert.ok(saved);
  await server.store.saveDocument({ ...saved, disabledAt: server.clock.now() });
  server.clock.advance(2 * 86400);

  const found = await find();

  assert.equal(found.state === 'gone' && found.reason, 'disabled');
  assert.equal(host.asked.length, 1);
});

test('[CIMD-20] the token endpoint never fetches: a saved document answers however old, an unsaved one is unknown', async () => {
  const { find, host, server } = await withDocuments();
  assert.deepEqual(await findClientForToken(url, server.context), { state: 'gone', reason: 'unknown' });
  await find();
  server.clock.advance(300 * 86400);
  host.next = failing('status', 404);

  const found = await findClientForToken(url, server.context);

  assert.equal(nameOf(found), 'An app');
  assert.equal(host.asked.length, 1);
});

test('[CIMD-10] [CIMD-11] a client that authenticates with a key is found without asking for its keys', async () => {
  const { find, host, server } = await withDocuments();
  host.next = async (asking) => answer({ client_id: asking, token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://app.example/jwks' });

  const found = await find();
  const atToken = await findClientForToken(url, server.context);

  assert.equal(found.state === 'active' && found.client.metadata.tokenEndpointAuthMethod, 'private_key_jwt');
  assert.deepEqual(atToken, found);
  assert.deepEqual(host.asked, [url]);
});

test('[CIMD-11] no address inside a document is fetched to find its client', async () => {
  const { find, host } = await withDocuments();
  host.next = async (asking) =>
    answer({
      client_id: asking,
      logo_uri: 'https://10.0.0.1/logo',
      jwks_uri: 'https://169.254.169.254/',
      client_uri: 'https://localhost/',
      token_endpoint_auth_methods_supported: ['none'],
    });

  assert.equal(nameOf(await find()), 'An app');
  assert.deepEqual(host.asked, [url]);
});

test('tenants keep their documents apart', async () => {
  const { server, host } = await withDocuments();
  await server.server.storage.addTenant({ tenant: 'acme', name: 'Acme', createdAt: 1 });
  const acme = (await server.server.context('acme')) as Context | undefined;
  assert.ok(acme && acme.issuer === `${issuer}/t/acme`);

  await findClient(url, server.context, here);

  assert.equal((await findClientForToken(url, acme)).state, 'gone');
  assert.equal((await findClient(url, acme, here)).state, 'active');
  assert.equal(host.asked.length, 2);
});
