import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { connect, freshTenant, NOW } from './contract/fixtures.ts';
import type { Driver } from './driver.ts';
import { openNodeSqlite } from './drivers/node-sqlite.ts';
import { openStorage } from './open.ts';
import type { Storage } from './store.ts';
import { type UseCounter, useCounter } from './use-counter.ts';

let storage: Storage;
let uses: UseCounter;
let failing = false;
let lastUsedAt: () => Promise<number | undefined>;

beforeEach(async () => {
  const driver = openNodeSqlite(':memory:');
  const write: Driver['write'] = (statements) => (failing ? Promise.reject(new Error('no database')) : driver.write(statements));
  storage = openStorage({ ...driver, write });
  await storage.migrate(NOW);
  const [store] = freshTenant({ one: storage, two: storage });
  await connect(store);
  uses = useCounter(store);
  lastUsedAt = async () => (await store.findKey('key-hash'))?.lastUsedAt;
});
afterEach(() => storage.close());

test('a use is written with the next flush, another one in the same minute is no news', async () => {
  uses.key('sk_files', NOW + 100);
  await uses.flush();
  assert.equal(await lastUsedAt(), NOW + 100);

  uses.key('sk_files', NOW + 159);
  await uses.flush();
  assert.equal(await lastUsedAt(), NOW + 100);

  uses.key('sk_files', NOW + 160);
  await uses.flush();
  assert.equal(await lastUsedAt(), NOW + 160);
});

test('a clock that was wrong and is set right does not keep uses from being written', async () => {
  uses.grant('grant_1', NOW + 9000);
  await uses.flush();
  uses.key('sk_files', NOW + 100);
  uses.key('sk_files', NOW + 160);
  await uses.flush();

  assert.equal(await lastUsedAt(), NOW + 160);
});

test('what could not be written is written the next time', async () => {
  uses.key('sk_files', NOW + 100);
  failing = true;
  await assert.rejects(uses.flush(), /no database/);
  failing = false;
  await uses.flush();

  assert.equal(await lastUsedAt(), NOW + 100);
});
