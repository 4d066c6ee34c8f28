import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import { storageContract } from '../contract.ts';
import { ConstraintError, type Driver, SchemaMissing, type Statement, StorageUnavailable } from '../driver.ts';
import { openStorage } from '../open.ts';
import { openNodeSqlite } from './node-sqlite.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-sqlite-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const inMemory = openStorage(openNodeSqlite(':memory:'));
storageContract('SQLite in memory', async () => inMemory);
storageContract('SQLite in a file with two nodes', async () => openStorage(openNodeSqlite(join(folder, 'contract.db'))));

const people = 'create table people (name text primary key); create table pets (owner text not null references people (name), name text not null)';
const add = (name: string): Statement => ({ text: 'insert into people (name) values (?1)', values: [name] });
const addPet = (owner: string, name: string): Statement => ({
  text: 'insert into pets (owner, name) values (?1, ?2) returning owner, name',
  values: [owner, name],
});

async function names(driver: Driver): Promise<unknown[]> {
  return (await driver.read({ text: 'select name from people order by name', values: [] })).map(({ name }) => name);
}

describe('node:sqlite', () => {
  test('a batch that fails among others of its turn fails alone, and whole', async () => {
    const driver = openNodeSqlite(':memory:');
    await driver.script(people);
    const outcomes = await Promise.allSettled([
      driver.write([add('a')]),
      driver.write([add('b'), add('a')]),
      driver.write([add('c')]),
      driver.write([addPet('nobody', 'x')]),
    ]);

    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected'],
    );
    for (const outcome of outcomes) assert.ok(outcome.status === 'fulfilled' || outcome.reason instanceof ConstraintError);
    assert.deepEqual(await names(driver), ['a', 'c']);
  });

  test('batches of one turn take effect in order, each with its own results', async () => {
    const driver = openNodeSqlite(':memory:');
    await driver.script(people);
    const [first, second] = await Promise.all([
      driver.write([add('a'), addPet('a', 'rex')]),
      driver.write([addPet('a', 'tom'), { text: 'delete from pets', values: [] }]),
    ]);

    assert.deepEqual(
      first?.map(({ changes, rows }) => [changes, rows.length]),
      [
        [1, 0],
        [1, 1],
      ],
    );
    assert.deepEqual({ ...first?.[1]?.rows[0] }, { owner: 'a', name: 'rex' });
    assert.deepEqual(
      second?.map(({ changes }) => changes),
      [1, 2],
    );
  });

  test('a read sees what was committed, and every write it waited for', async () => {
    const driver = openNodeSqlite(':memory:');
    await driver.script(people);
    const writing = driver.write([add('a')]);

    assert.deepEqual(await names(driver), []);
    await writing;
    assert.deepEqual(await names(driver), ['a']);
  });

  test('more batches than one commit takes all arrive, also when the database is closed at once', async () => {
    const path = join(folder, 'many.db');
    const driver = openNodeSqlite(path);
    await driver.script(people);
    const writing = Array.from({ length: 300 }, (_, index) => driver.write([add(`p${index}`)]));
    await driver.close();
    await Promise.all(writing);

    const reopened = openNodeSqlite(path);
    assert.equal((await names(reopened)).length, 300);
    await reopened.close();
  });

  test('a commit waits for what the next turns bring, a few of them and no more, and for nothing when nothing comes', async () => {
    const driver = openNodeSqlite(':memory:');
    await driver.script(people);
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    let turns = 0;
    let first: number | undefined;
    const written: Promise<unknown>[] = [];
    for (; turns < 12; turns++) {
      const one = driver.write([add(`person ${turns}`)]);
      written.push(one);
      if (turns === 0) void one.then(() => (first = turns));
      await turn();
    }
    await Promise.all(written);
    assert.ok(first !== undefined && first >= 3 && first <= 6, `the first was committed in turn ${first}`);
    assert.equal((await names(driver)).length, 12);

    let alone: number | undefined;
    void driver.write([add('alone')]).then(() => (alone = turns));
    for (turns = 0; turns < 4; turns++) await turn();
    assert.ok(alone !== undefined && alone <= 2, `one alone was committed in turn ${alone}`);
    await driver.close();
  });

  test('[KEY-06] a new database and its journal are readable by their owner only, and commits are durable', async () => {
    const path = join(folder, 'new', 'mode.db');
    const driver = openNodeSqlite(path);
    await driver.script(people);
    await driver.write([add('a')]);

    for (const file of [path, `${path}-wal`, `${path}-shm`]) assert.equal(statSync(file).mode & 0o777, 0o600, file);
    const setting = async (name: string) => Object.values((await driver.read({ text: `pragma ${name}`, values: [] }))[0] ?? {})[0];
    assert.deepEqual([await setting('journal_mode'), await setting('synchronous'), await setting('foreign_keys')], ['wal', 2, 1]);
    await driver.close();
  });

  test('while another process holds the write lock too long, writes are refused as unavailable and reads go on', async () => {
    const path = join(folder, 'locked.db');
    const driver = openNodeSqlite(path, { busyTimeoutMs: 1 });
    await driver.script(people);
    const other = new DatabaseSync(path);
    other.exec('begin immediate');

    await assert.rejects(driver.write([add('a')]), StorageUnavailable);
    assert.deepEqual(await names(driver), []);
    other.exec('rollback');
    await driver.write([add('a')]);
    assert.deepEqual(await names(driver), ['a']);
    other.close();
    await driver.close();
  });

  test('a database without its tables says so', async () => {
    const driver = openNodeSqlite(':memory:');

    await assert.rejects(names(driver), SchemaMissing);
    await assert.rejects(driver.write([add('a')]), SchemaMissing);
  });
});
