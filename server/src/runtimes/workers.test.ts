import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditEvent, type EventType } from '../audit/event.ts';
import { sha256 } from '../crypto/hash.ts';
import { restoringFact } from '../storage/backup.ts';
import { openNodeSqlite } from '../storage/drivers/node-sqlite.ts';
import { openStorage } from '../storage/open.ts';
import { ROOT_TENANT } from '../storage/store.ts';
import { createWorker, type WorkerBindings } from './workers.ts';

const now = 1_800_000_000;
const bindings: WorkerBindings = {
  AUTH_AGENT_ISSUER: 'https://auth.example.com',
  AUTH_AGENT_SECRET: '8Xq2vT7mRk4LzC9wPn3bYh6JdFs1GaEu5oQi0KtMxV',
  // The driver of the test is used instead.
  DB: { prepare: () => assert.fail(), batch: () => assert.fail() },
  ASSETS: { fetch: async () => new Response(null, { status: 404 }) },
};
const log = { info() {}, warn() {}, error() {} };

/** A Worker on a database with these rows in it. */
async function worker(statement?: string) {
  const driver = openNodeSqlite(':memory:');
  const storage = openStorage(driver);
  await storage.migrate(now);
  if (statement) await driver.write([{ text: statement, values: [] }]);
  const works: Promise<unknown>[] = [];
  const context = { waitUntil: (work: Promise<unknown>) => void works.push(work) };
  const made = createWorker({ driver, log, now: () => now }, { gatherMs: 0 });
  return {
    storage,
    driver,
    ask: async () => {
      const request = new Request('https://auth.example.com/.well-known/jwks.json', { headers: { accept: 'application/json' } });
      return (await made.fetch(request, bindings, context)).status;
    },
    keepHouse: () => made.scheduled({}, bindings, context),
    async end() {
      await Promise.allSettled(works);
      await storage.close();
    },
  };
}

test('[OPS-04] a Worker answers from no half restore, no development data and no rows of a newer version, and keeps no house there', async (t) => {
  const said = t.mock.method(console, 'log', () => {});
  for (const [statement, named] of [
    [`insert into facts (name, value) values ('${restoringFact}', 'yes')`, /restore/],
    ["insert into facts (name, value) values ('demo', 'yes')", /development mode/],
    ["insert into schema_migrations (name, checksum, applied_at) values ('9999-later', 'x', 1)", /9999-later/],
  ] as const) {
    const at = await worker(statement);
    assert.deepEqual([await at.ask(), await at.ask()], [503, 503]);
    assert.match(String(said.mock.calls.at(-1)?.arguments[0]), named);
    await assert.rejects(at.keepHouse());
    assert.deepEqual(await at.storage.forTenant('-').listSigningKeys(now), []);
    await at.end();
  }
});

test('a Worker answers from no database that takes a secret of the documentation', async (t) => {
  const said = t.mock.method(console, 'log', () => {});
  const at = await worker();
  const store = at.storage.forTenant(ROOT_TENANT);
  const event = (type: EventType) => auditEvent(type, now, 'test');
  const server = { id: 'srv_1', ownerId: 'usr_1', resource: 'https://a.example', serverUrl: 'https://a.example', name: 'a', scopes: [] };
  await store.addServer({ ...server, createdAt: now, updatedAt: now }, event('server.added'));
  const key = { id: 'sk_1', serverId: 'srv_1', name: 'k', secretHash: sha256('sk_xyz789'), createdAt: now, expiresAt: now + 1000 };
  await store.addKey(key, event('key.created'));

  assert.deepEqual([await at.ask(), await at.ask()], [503, 503]);
  assert.match(String(said.mock.calls.at(-1)?.arguments[0]), /sk_xyz789 from the documentation/);
  await assert.rejects(at.keepHouse());
  await store.revokeKey('srv_1', 'sk_1', event('key.revoked'));
  assert.equal(await at.ask(), 200);
  await at.end();
});

test('a Worker on a database of another issuer says so, once', async (t) => {
  const warned = t.mock.method(log, 'warn', () => {});
  const at = await worker("insert into facts (name, value) values ('issuer', 'https://before.example.com')");

  assert.deepEqual([await at.ask(), await at.ask()], [200, 200]);
  const said = warned.mock.calls.map(({ arguments: given }) => given as unknown[]).filter(([event]) => event === 'start.issuer_changed');
  assert.deepEqual([said.length, (said[0]?.[1] as { before?: string } | undefined)?.before], [1, 'https://before.example.com']);
  assert.equal(await at.storage.fact('issuer'), 'https://auth.example.com');
  await at.end();
});

test('[OPS-04] a Worker answers once the restore is done', async () => {
  const at = await worker(`insert into facts (name, value) values ('${restoringFact}', 'yes')`);
  assert.equal(await at.ask(), 503);
  await at.driver.write([{ text: `delete from facts where name = '${restoringFact}'`, values: [] }]);

  assert.equal(await at.ask(), 200);
  await at.keepHouse();
  await at.end();
});
