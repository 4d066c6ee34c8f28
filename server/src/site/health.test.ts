import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testServer } from '../../test/harness.ts';
import { openNodeSqlite } from '../storage/drivers/node-sqlite.ts';

test('[OPS-02] readiness asks the database once a second, however many ask', async () => {
  const driver = openNodeSqlite(':memory:');
  let questions = 0;
  const on = await testServer({
    driver: {
      ...driver,
      read(statement) {
        if (statement.text.includes('schema_migrations')) questions += 1;
        return driver.read(statement);
      },
    },
  });
  questions = 0;

  const answers = await Promise.all(['/health/ready', '/readyz', '/health/ready'].map((path) => on.request(path)));
  answers.push(await on.request('/readyz'));
  const first = questions;
  on.clock.advance(1);
  answers.push(await on.request('/readyz'));

  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200, 200],
  );
  assert.deepEqual([first, questions], [1, 2]);
  await on.close();
});
