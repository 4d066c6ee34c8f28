/** Proves what a fetched document must be, and how long it stays fresh. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OAuthError } from '../errors.ts';
import { freshSeconds, judgeDocument } from './judge-document.ts';

const url = 'https://app.example/client';
const policy = { dotlessSchemes: [] };
const good = { client_id: url, client_name: 'An app', redirect_uris: ['http://localhost/callback'] };
const bytes = (text: string) => new TextEncoder().encode(text);
const fetched = (body: unknown = good, type = 'application/json', status = 200) => ({
  status,
  headers: { 'content-type': type },
  body: body instanceof Uint8Array ? body : bytes(typeof body === 'string' ? body : JSON.stringify(body)),
});
const refused = (answer: ReturnType<typeof fetched>) =>
  assert.throws(
    () => judgeDocument(url, answer, policy),
    (error) => error instanceof OAuthError && error.code === 'client_metadata_unavailable',
  );

test('[CIMD-07] JSON types are taken, with parameters and in any case', () => {
  for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/oauth-client+json', 'application/json ;x=y']) {
    assert.equal(judgeDocument(url, fetched(good, type), policy).metadata.clientName, 'An app', type);
  }
});

test('[CIMD-07] anything that is not one JSON object in UTF-8 without repeated members is refused', () => {
  for (const type of ['text/html', 'text/json', 'application/javascript', 'application/jsonp', 'application/xml', '', 'x; application/json'])
    refused(fetched(good, type));
  refused({ ...fetched(), headers: {} as { 'content-type': string } });
  const text = JSON.stringify(good);
  for (const body of [
    '',
    '[]',
    'null',
    '"x"',
    `[${text}]`,
    `${text}${text}`,
    `\uFEFF${text}`,
    `${text.slice(0, -1)},"client_id":"${url}"}`,
    `${text.slice(0, -1)},"client\\u005fname":"Other"}`,
  ])
    refused(fetched(body));
  const [before = '', behind = ''] = text.split('An app');
  refused(fetched(new Uint8Array([...bytes(`${before}An app`), 0xc3, 0x28, 0xff, ...bytes(behind)])));
});

test('[CIMD-05] any status but 200 is a failure', () => {
  for (const status of [201, 203, 204, 206, 301, 304, 404, 500]) refused(fetched(good, 'application/json', status));
});

test('[CIMD-08] [CIMD-18] client_id is the fetched address, character for character', () => {
  for (const id of [`${url}/`, 'https://APP.example/client', 'https://app.example:443/client', 'https://app.example/Client', undefined, null, 7, [url]])
    refused(fetched({ ...good, client_id: id }));
});

test('[CIMD-08] [CIMD-09] [CIMD-10] a document that breaks a rule of metadata is refused as a whole', () => {
  refused(fetched({ ...good, client_name: undefined }));
  refused(fetched({ ...good, redirect_uris: [] }));
  refused(fetched({ ...good, redirect_uris: ['javascript:alert(1)'] }));
  refused(fetched({ ...good, client_secret: 'x' }));
  refused(fetched({ ...good, token_endpoint_auth_method: 'client_secret_post' }));
  refused(fetched({ ...good, token_endpoint_auth_method: 'private_key_jwt' }));
});

test('[CIMD-13] freshness follows Cache-Control, then Expires, between one minute and one day', () => {
  const now = 1_800_000_000;
  const fresh = (headers: Record<string, string>) => freshSeconds(headers, now);
  const inSeconds = (seconds: number) => new Date((now + seconds) * 1000).toUTCString();

  assert.equal(fresh({ 'cache-control': 'public, max-age=600' }), 600);
  assert.equal(fresh({ 'cache-control': 'max-age=600', expires: inSeconds(5000) }), 600);
  assert.equal(fresh({ expires: inSeconds(5000) }), 5000);
  assert.equal(fresh({}), 3600);
  for (const control of ['max-age=0', 'max-age=1', 'no-store', 'no-cache', 'private, no-store, max-age=9999', 'NO-STORE'])
    assert.equal(fresh({ 'cache-control': control }), 60, control);
  assert.equal(fresh({ 'cache-control': 'max-age=31536000' }), 86400);
  assert.equal(fresh({ 'cache-control': 'max-age=99999999999' }), 86400);
  assert.equal(fresh({ expires: inSeconds(-5) }), 60);
  assert.equal(fresh({ expires: inSeconds(10_000_000) }), 86400);
  const odd: Record<string, string>[] = [{ 'cache-control': 'max-age=x' }, { 'cache-control': 'x-max-age=5' }, { expires: 'soon' }];
  for (const headers of odd) assert.equal(fresh(headers), 3600, JSON.stringify(headers));
});

test('whatever is fetched, it is metadata or an OAuthError', () => {
  const body = fc.oneof(
    fc.string().map(bytes),
    fc.uint8Array(),
    fc.json().map(bytes),
    fc.jsonValue().map((value) => bytes(JSON.stringify({ ...good, redirect_uris: value }))),
  );
  fc.assert(
    fc.property(body, fc.constantFrom('application/json', 'text/html'), (content, type) => {
      try {
        assert.ok(judgeDocument(url, fetched(content, type), policy).metadata.redirectUris.length > 0);
      } catch (error) {
        assert.ok(error instanceof OAuthError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
