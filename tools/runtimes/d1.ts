/**
 * The storage contract on D1, by the driver that Workers use, against the D1 of workerd; and how D1 says that something failed. Run by `npm run runtimes`.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { storageContract } from '../../server/src/storage/contract.ts';
import { ConstraintError, SchemaMissing, type Statement, StorageUnavailable } from '../../server/src/storage/driver.ts';
import { openD1 } from '../../server/src/storage/drivers/d1.ts';
import { openStorage } from '../../server/src/storage/open.ts';
import { startWorkerd } from '../../server/test/workerd/miniflare.ts';

const runtime = await startWorkerd({ script: 'export default {}' }, { d1Databases: { CONTRACT: 'contract', DRIVER: 'driver' } });
after(() => runtime.dispose());
const statement = (text: string, ...values: Statement['values']): Statement => ({ text, values });
const add = (name: string): Statement => statement('insert into people (name) values (?1)', name);

storageContract('D1 with two nodes', async () => openStorage(openD1(await runtime.getD1Database('CONTRACT'))));

describe('the driver for D1', async () => {
  const driver = openD1(await runtime.getD1Database('DRIVER'));
  const names = async () => (await driver.read(statement('select name from people order by name'))).map(({ name }) => name);

  test('a database without its tables says so', async () => {
    await assert.rejects(driver.read(statement('select name from people')), SchemaMissing);
    await assert.rejects(driver.write([add('a')]), SchemaMissing);
  });

  test('a batch that fails anywhere leaves nothing behind', async () => {
    await driver.script('create table people (name text primary key);\ncreate table pets (owner text not null references people (name));');
    await driver.write([add('a')]);

    for (const batch of [
      [add('b'), add('a')],
      [add('a'), add('b')],
      [add('b'), statement('insert into pets (owner) values (?1)', 'nobody')],
    ])
      await assert.rejects(driver.write(batch), ConstraintError);

    assert.deepEqual(await names(), ['a']);
  });

  test('results belong to their statements, rows and counts', async () => {
    const results = await driver.write([
      statement('insert into people (name) values (?1), (?2) returning name', 'x', 'y'),
      statement('delete from people where name in (?1, ?2)', 'x', 'y'),
      statement('select count(*) as many, cast(?1 as bigint) as big, cast(null as text) as none', 2 ** 40),
    ]);

    assert.deepEqual(
      results.map(({ changes }) => changes),
      [2, 2, 1],
    );
    assert.deepEqual(results[0]?.rows, [{ name: 'x' }, { name: 'y' }]);
    assert.deepEqual(results[2]?.rows, [{ many: 1, big: 2 ** 40, none: null }]);
  });

  test('a script that fails leaves nothing behind', async () => {
    await assert.rejects(driver.script('create table half (name text);\ninsert into absent values (1);'));

    await assert.rejects(driver.read(statement('select * from half')), SchemaMissing);
  });

  test('what D1 says of its own troubles is unavailable, to be tried again', async () => {
    for (const message of [
      'D1_ERROR: Network connection lost.',
      'D1_ERROR: D1 DB is overloaded. Too many requests queued.',
      'D1 DB storage operation exceeded timeout which caused object to be reset.',
    ]) {
      const failing = { prepare: () => ({ bind: () => ({ all: () => Promise.reject(new Error(message)) }) }) };
      await assert.rejects(openD1(failing as never).read(statement('select 1')), StorageUnavailable);
    }
  });
});
