import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activityCounter } from './activity-counter.ts';
import { connect, freshTenant, NOW } from './contract/fixtures.ts';
import { type Driver, StorageUnavailable } from './driver.ts';
import { openNodeSqlite } from './drivers/node-sqlite.ts';
import { openStorage } from './open.ts';

test('what was written before a flush failed is not counted again', async () => {
  const driver = openNodeSqlite(':memory:');
  let writes = 0;
  let failing = 0;
  const failingOnce: Driver = {
    ...driver,
    write: (statements) => (++writes === failing ? Promise.reject(new StorageUnavailable('away')) : driver.write(statements)),
  };
  const storage = openStorage(failingOnce);
  await storage.migrate(NOW);
  const [store] = freshTenant({ one: storage, two: storage });
  await connect(store);
  const counter = activityCounter(store, 86_400);
  for (let index = 0; index < 120; index++)
    counter.add({ serverId: 'srv_files', grantId: 'grant_1' }, { action: `act_${index}`, outcome: 'allowed', missing: [], times: 1 }, NOW);
  failing = writes + 2;

  await assert.rejects(counter.flush(), StorageUnavailable);
  await counter.flush();
  const rows = await driver.read({ text: 'select count(*) as actions, sum(times) as times from activity', values: [] });
  assert.deepEqual(
    rows.map(({ actions, times }) => [actions, times]),
    [[120, 120]],
  );
  await storage.close();
});
