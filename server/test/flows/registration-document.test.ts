/** A client whose id is its address, from a real https server through the pinned fetcher into a real store. */
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { findClient, findClientForToken } from '../../src/clients/find.ts';
import { matchesRegistered } from '../../src/rules/redirect-uri.ts';
import { pinnedFetcher } from '../../src/runtimes/pinned-fetch.ts';
import { testServer } from '../harness.ts';
import { selfSigned } from '../self-signed.ts';

const certificate = selfSigned(['localhost']);
const answers = new Map<string, { status?: number; headers?: Record<string, string>; body?: string }>();
let hits = 0;
const host = createServer(certificate, (incoming, response) => {
  hits += 1;
  const answer = answers.get(incoming.url ?? '') ?? { status: 404 };
  response.writeHead(answer.status ?? 200, { 'Content-Type': 'application/json', ...answer.headers }).end(answer.body);
});
let origin = '';

before(async () => {
  await new Promise<void>((ready) => host.listen(0, 'localhost', ready));
  origin = `https://localhost:${(host.address() as AddressInfo).port}`;
});
after(() => {
  host.closeAllConnections();
  host.close();
});

function publish(path: string, members: Record<string, unknown> = {}, headers: Record<string, string> = {}): string {
  const url = origin + path;
  answers.set(path, {
    headers,
    body: JSON.stringify({ client_id: url, client_name: 'Claude Code', redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'], ...members }),
  });
  return url;
}
const started = (options: Parameters<typeof pinnedFetcher>[0] = {}) =>
  testServer({ fetchDocument: pinnedFetcher({ dangerouslyAllowLoopback: true, ca: certificate.cert, ...options }) }, []);

test('[CIMD-04] [CIMD-08] [CIMD-13] in development a client on a loopback host is fetched once, kept, and matches the ports it uses', async () => {
  const { context, clock } = await started();
  const url = publish('/client', {}, { 'Cache-Control': 'max-age=600' });
  hits = 0;

  const found = await findClient(url, context, '127.0.0.1');
  await findClient(url, context, '127.0.0.1');

  assert.ok(found.state === 'active');
  assert.equal(hits, 1);
  assert.ok(found.client.metadata.redirectUris.some((uri) => matchesRegistered('http://localhost:54212/callback', uri)));
  assert.equal((await findClientForToken(url, context)).state, 'active');
  clock.advance(600);
  await findClient(url, context, '127.0.0.1');
  assert.equal(hits, 2);
});

test('[CIMD-04] [CIMD-14] in production the same client is refused, and its host hears nothing', async () => {
  const { context } = await started({ dangerouslyAllowLoopback: false });
  const url = publish('/client');
  hits = 0;

  const found = await findClient(url, context, '203.0.113.7');

  assert.ok(found.state === 'unavailable');
  assert.equal(found.error.code, 'client_metadata_unavailable');
  assert.equal(hits, 0);
});

test('[CIMD-05] [CIMD-06] [CIMD-07] [CIMD-14] redirects, large, compressed and foreign documents end in one error', async () => {
  const { context, clock } = await started();
  const good = publish('/good');
  answers.set('/moved', { status: 302, headers: { Location: good } });
  answers.set('/large', { body: `${answers.get('/good')?.body}${' '.repeat(6000)}` });
  answers.set('/packed', { headers: { 'Content-Encoding': 'gzip' }, body: 'x' });
  answers.set('/html', { headers: { 'Content-Type': 'text/html' }, body: answers.get('/good')?.body ?? '' });
  answers.set('/foreign', { body: answers.get('/good')?.body ?? '' });

  for (const path of ['/moved', '/large', '/packed', '/html', '/foreign', '/missing']) {
    const found = await findClient(origin + path, context, '127.0.0.1');
    assert.equal(found.state === 'unavailable' && found.error.code, 'client_metadata_unavailable', path);
    assert.equal((await findClientForToken(origin + path, context)).state, 'gone');
    clock.advance(60);
  }
});

test('when the host goes away, who signed in before still can', async () => {
  const { context, clock } = await started();
  const url = publish('/lasting');
  await findClient(url, context, '127.0.0.1');
  answers.set('/lasting', { status: 503 });
  clock.advance(86400);

  const found = await findClient(url, context, '127.0.0.1');

  assert.equal(found.state, 'active');
  answers.delete('/lasting');
  clock.advance(60);
  assert.equal((await findClient(url, context, '127.0.0.1')).state, 'unavailable');
});
