import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { renew } from './renewal.ts';
import { legacyMetadata } from './server-metadata.ts';
import { openStore, tokenKey } from './store.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-store-'));
after(() => rmSync(folder, { recursive: true }));
const place = { issuer: 'https://as.example', resource: 'https://h.example/mcp' };
const key = tokenKey(place);
const client = { clientId: 'c', method: 'none' as const, redirectUri: '' };
const storeAt = (name: string) => openStore({ XDG_CONFIG_HOME: join(folder, name) });

test('[CL-16] the file is private, written whole, and nothing is lost when many write at once', async () => {
  const store = storeAt('many');
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => storeAt('many').change((kept) => Object.assign(kept.tokens, { [`i ${index}`]: { accessToken: String(index) } }))),
  );

  // Before anything reads it: reading repairs a mode that somebody changed.
  assert.deepEqual([statSync(store.path).mode & 0o777, statSync(join(store.path, '..')).mode & 0o777], [0o600, 0o700]);
  assert.equal(Object.keys(store.read().tokens).length, 20);
  assert.equal(store.path, join(folder, 'many', 'auth-agent', 'credentials.json'));
  assert.deepEqual(readdirSync(join(store.path, '..')), ['credentials.json'], 'no lock and no half file stays');
});

test('[CL-16] a lock that a dead process left is taken over', async () => {
  const store = storeAt('stale');
  await store.change(() => {});
  writeFileSync(`${store.path}.lock`, '1');
  utimesSync(`${store.path}.lock`, 1, 1);

  await store.change((kept) => Object.assign(kept.tokens, { [key]: { accessToken: 'a' } }));

  assert.equal(store.read().tokens[key]?.accessToken, 'a');
});

/** A token endpoint that answers what it is told, and what it was sent. */
function endpoint(...answers: [number, object][]) {
  const sent: URLSearchParams[] = [];
  return {
    sent,
    fetch: async (_url: string | URL, init?: RequestInit) => {
      sent.push(new URLSearchParams(String(init?.body)));
      const [status, body] = answers[sent.length - 1] ?? [500, {}];
      return Response.json(body, { status });
    },
  };
}

test('[CL-07] [CL-16] [CL-20] two that renew at once ask once; the resource goes along, and a refresh token that is not replaced stays', async () => {
  const store = storeAt('race');
  await store.change((kept) => Object.assign(kept.tokens, { [key]: { accessToken: 'old', refreshToken: 'rt', scope: 'a', requestedScope: 'a b' } }));
  const { fetch, sent } = endpoint([200, { access_token: 'new', token_type: 'Bearer', expires_in: 60 }]);
  const once = () => renew({ metadata: legacyMetadata(place.issuer), client, store, place, refused: 'old', fetch, now: 100 });

  const [first, second] = await Promise.all([once(), once()]);

  assert.equal(sent.length, 1);
  assert.equal(sent[0]?.get('resource'), 'https://h.example/mcp');
  assert.deepEqual([first?.accessToken, second?.accessToken, first?.refreshToken, first?.scope, first?.requestedScope], ['new', 'new', 'rt', 'a', 'a b']);
  assert.equal(store.read().tokens[key]?.expiresAt, 160);
});

test('[CL-18] [CL-20] invalid_grant drops the tokens, invalid_client the registration too; without a refresh token nobody is asked', async () => {
  const store = storeAt('refused');
  const start = () =>
    store.change((kept) => {
      kept.clients[place.issuer] = client;
      kept.tokens[key] = { accessToken: 'old', refreshToken: 'rt', requestedScope: 'a' };
    });
  const renewed = (fetch: ReturnType<typeof endpoint>['fetch']) =>
    renew({ metadata: legacyMetadata(place.issuer), client, store, place, refused: 'old', fetch, now: 1 });

  for (const [error, registered] of [
    ['invalid_grant', true],
    ['invalid_client', false],
  ] as const) {
    await start();
    assert.equal(await renewed(endpoint([400, { error }]).fetch), undefined);
    const { tokens, clients } = store.read();
    assert.deepEqual(
      [tokens[key]?.accessToken, tokens[key]?.refreshToken, tokens[key]?.requestedScope, place.issuer in clients],
      ['', undefined, 'a', registered],
    );
  }
  await store.change((kept) => Object.assign(kept.tokens, { [key]: { accessToken: 'old' } }));
  const silent = endpoint();
  assert.equal(await renewed(silent.fetch), undefined);
  assert.equal(silent.sent.length, 0);
});
