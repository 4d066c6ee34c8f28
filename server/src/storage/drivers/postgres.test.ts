import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { auditEvent } from '../../audit/event.ts';
import { randomWord } from '../../crypto/random.ts';
import { InUse, refuseServed } from '../backup.ts';
import { storageContract } from '../contract.ts';
import { ConstraintError, type Driver, SchemaMissing, type Statement, StorageRefused, StorageUnavailable } from '../driver.ts';
import { openStorage } from '../open.ts';
import type { Store } from '../store.ts';
import { openPostgres } from './postgres.ts';

const url = process.env.AUTH_AGENT_TEST_POSTGRES;

if (url === undefined || url === '') {
  test('Postgres keeps the storage contract', {
    skip: !process.env.CI && 'AUTH_AGENT_TEST_POSTGRES is not set; try tools/postgres.sh run',
  }, () => {
    throw new Error('CI must run the storage contract on Postgres: set AUTH_AGENT_TEST_POSTGRES, for example with tools/postgres.sh run');
  });
} else {
  onOwnDatabase(url);
}

function onOwnDatabase(adminUrl: string): void {
  describe('a fresh database', () => {
    const name = `auth_agent_${randomWord(12).toLowerCase()}`;
    const own = new URL(adminUrl);
    own.pathname = `/${name}`;
    const admin = openPostgres(adminUrl, { max: 1 });
    before(() => admin.write([{ text: `create database ${name}`, values: [] }]));
    after(async () => {
      await admin.write([{ text: `drop database ${name} with (force)`, values: [] }]);
      await admin.close();
    });

    driverTests(own.href, admin);
    storageContract('Postgres', async () => openStorage(openPostgres(own.href, { max: 20 })));

    test('a setup link that is made and followed while another one is used waits, and makes no second operator', async () => {
      const driver = openPostgres(own.href);
      const slow = { ...driver, write: (statements: Statement[]) => driver.write([...statements, statement('select pg_sleep(0.5)')]) };
      const [one, two] = [openStorage(slow).forTenant('setup'), openStorage(driver).forTenant('setup')];
      const follow = (store: Store, link: string) => {
        const person = { id: `usr_${link}`, username: link, role: 'operator' as const, createdAt: 1 };
        const owned = { id: `tok_${link}`, tokenHash: link, userId: person.id, name: 'Setup', createdAt: 1, expiresAt: 9 };
        return store.redeemSetupLink(link, person, owned, auditEvent('setup.completed', 1, 'test'));
      };
      await two.addSetupLink('first', 1, 9);

      const first = follow(one, 'first');
      await two.addSetupLink('second', 1, 9);

      assert.deepEqual([await follow(two, 'second'), await first].toSorted(), ['done', 'used']);
      await driver.close();
    });
  });
}

test('[OPS-04] a database that nodes are connected to is not restored into', { skip: !url }, async () => {
  const name = `auth_agent_${randomWord(12).toLowerCase()}`;
  const own = new URL(url ?? '');
  own.pathname = `/${name}`;
  const admin = openPostgres(url ?? '', { max: 1 });
  await admin.write([{ text: `create database ${name}`, values: [] }]);
  const [restoring, node] = [openPostgres(own.href), openPostgres(own.href)];
  await refuseServed(restoring);
  await node.read({ text: 'select 1', values: [] });

  await assert.rejects(refuseServed(restoring), InUse);
  for (const driver of [restoring, node]) await driver.close();
  await admin.write([{ text: `drop database ${name} with (force)`, values: [] }]);
  await admin.close();
});

const statement = (text: string, ...values: Statement['values']): Statement => ({ text, values });
const add = (name: string): Statement => statement('insert into people (name) values (?1)', name);

/** An authentication message of Postgres: type, length, which, what. */
function said(which: number, what: string): Buffer {
  const head = Buffer.alloc(9);
  head.write('R');
  head.writeInt32BE(8 + what.length, 1);
  head.writeInt32BE(which, 5);
  return Buffer.concat([head, Buffer.from(what)]);
}

function driverTests(url: string, admin: Driver): void {
  describe('the driver', () => {
    const driver = openPostgres(url, { max: 4 });
    const names = async () => (await driver.read(statement('select name from people order by name'))).map(({ name }) => name);
    before(() => driver.script('create table people (name text primary key); create sequence tries'));
    after(async () => {
      await driver.script('drop table people; drop sequence tries');
      await driver.close();
    });

    test('no plan is kept of what was asked while there was next to nothing to count, and all are once there is, whatever the schema is called', async () => {
      const schema = 'Auth-Agent';
      await driver.script(`create schema "${schema}"`);
      const one = openPostgres(`${url}?options=${encodeURIComponent(`-c search_path="${schema}"`)}`, { max: 1 });
      const ask = () => one.read(statement('select id from grants where id = ?1', 'none'));
      const kept = async () => (await one.read(statement("select count(*) as many from pg_prepared_statements where name like 'aa%'")))[0]?.many;
      await one.script('create table grants (id text primary key)');
      for (let time = 0; time < 10; time++) await ask();
      assert.equal(await kept(), 0);

      await one.script("insert into grants select 'grant_' || i from generate_series(1, 1000) i; analyze grants");
      for (let time = 0; time < 1010; time++) await ask();
      assert.notEqual(await kept(), 0);
      await one.script(`drop schema "${schema}" cascade`);
      await one.close();
    });

    test('a batch that fails anywhere leaves nothing behind, and its connection goes on working', async () => {
      await driver.write([add('a')]);
      for (const batch of [
        [add('b'), add('a')],
        [add('a'), add('b')],
        [add('b'), add('c'), add('a'), add('d')],
      ])
        await assert.rejects(driver.write(batch), ConstraintError);

      await driver.write([add('e'), add('f')]);
      assert.deepEqual(await names(), ['a', 'e', 'f']);
    });

    test('an error that reaches the log names the rule and not the value that broke it', async () => {
      await driver.write([add('secret-hash')]);

      const error = await driver.write([add('secret-hash')]).catch((reason) => reason);
      assert.ok(error instanceof ConstraintError);
      assert.doesNotMatch(JSON.stringify([error.message, error.cause, String(error.cause)]), /secret-hash/);
      assert.match(error.message, /people_pkey/);
    });

    test('bigints and counts are numbers, and results belong to their statements', async () => {
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
      assert.deepEqual([results[2]?.rows[0]?.big, results[2]?.rows[0]?.none], [2 ** 40, null]);
      assert.equal(typeof results[2]?.rows[0]?.many, 'number');
    });

    test('a batch that lost a conflict is run again', async () => {
      const conflict = statement("do $$ begin if nextval('tries') < 3 then raise exception using errcode = '40001'; end if; end $$");
      await driver.write([add('again'), conflict]);

      assert.ok((await names()).includes('again'));
      await driver.write([statement("select setval('tries', 1)")]);
      await driver.write([conflict]);
    });

    test('a conflict that never ends is unavailable', async () => {
      const conflict = statement("do $$ begin raise exception using errcode = '40P01'; end $$");

      await assert.rejects(driver.write([add('never'), conflict]), StorageUnavailable);
      assert.ok(!(await names()).includes('never'));
    });

    test('connections that the server closes do not end the process, and reads find another', async () => {
      await Promise.all([names(), names(), names()]);
      const database = new URL(url).pathname.slice(1);
      await admin.write([statement('select pg_terminate_backend(pid) from pg_stat_activity where datname = ?1', database)]);

      assert.ok((await names()).length > 0);
      assert.ok((await Promise.all([names(), names(), names()])).every((found) => found.length > 0));
    });

    test('after its connections were closed a write is done or refused as unavailable, and the next one is done', async () => {
      await Promise.all([names(), names(), names(), names()]);
      const database = new URL(url).pathname.slice(1);
      await admin.write([statement('select pg_terminate_backend(pid) from pg_stat_activity where datname = ?1', database)]);
      const outcomes = await Promise.allSettled(['n1', 'n2', 'n3', 'n4', 'n5', 'n6'].map((name) => driver.write([add(name), statement('select 1')])));

      for (const outcome of outcomes) assert.ok(outcome.status === 'fulfilled' || outcome.reason instanceof StorageUnavailable);
      await driver.write([add('n7'), statement('select 1')]);
      const written = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [`n${index + 1}`] : []));
      assert.deepEqual(
        (await names()).filter((name) => /^n\d$/.test(String(name))),
        [...written, 'n7'],
      );
    });

    test('a statement has a time limit, and so has a transaction that waits; what takes too long is unavailable and leaves nothing behind', async () => {
      const limits = ['statement_timeout', 'idle_in_transaction_session_timeout'].map((name) =>
        driver.read(statement(`select current_setting('${name}') as value`)),
      );
      assert.deepEqual((await Promise.all(limits)).flat(), [{ value: '10s' }, { value: '10s' }]);

      const slow = driver.write([statement('set local statement_timeout = 20'), add('slow'), statement('select pg_sleep(5)')]);
      await assert.rejects(slow, StorageUnavailable);
      assert.ok(!(await names()).includes('slow'));
    });

    test('what an operator does to whole tables takes as long as it takes, and the next statement has its limit again', async () => {
      const limit = statement("select current_setting('statement_timeout') as value");
      const [alone, again] = [await driver.write([limit], { unhurried: true }), await driver.write([limit, limit], { unhurried: true })];

      assert.deepEqual(
        [...alone, ...again].map(({ rows }) => rows),
        [[{ value: '0' }], [{ value: '0' }], [{ value: '0' }]],
      );
      const after = await Promise.all(Array.from({ length: 4 }, () => driver.write([limit, limit])));
      assert.ok(after.flat().every(({ rows }) => rows[0]?.value === '10s'));
    });

    test('text with a NUL is in no row, and asking for it is no fault', async () => {
      assert.deepEqual(await driver.read(statement('select name from people where name = ?1', 'a\0')), []);
    });

    test('a table that is missing, and a server that is not there, say so', async () => {
      const nowhere = openPostgres('postgres://postgres@127.0.0.1:1/none');

      await assert.rejects(driver.read(statement('select * from absent')), SchemaMissing);
      await assert.rejects(nowhere.read(statement('select 1')), StorageUnavailable);
      await assert.rejects(nowhere.write([add('a'), add('b')]), StorageUnavailable);
      await assert.rejects(nowhere.script('select 1'), StorageUnavailable);
      await nowhere.close();
    });

    test('who is not let in, or may not do its work, is refused and no fault of the server', async () => {
      const elsewhere = (change: (address: URL) => void, act = (driver: Driver): Promise<unknown> => driver.read(statement('select 1'))) => {
        const address = new URL(url);
        change(address);
        const driver = openPostgres(address.href, { max: 1 });
        return act(driver).finally(() => driver.close());
      };
      const readOnly = (address: URL) => address.searchParams.set('options', '-c default_transaction_read_only=on');
      const role = `nobody_${randomWord(12).toLowerCase()}`;
      await admin.write([{ text: `create role ${role} login`, values: [] }]);
      try {
        await assert.rejects(
          elsewhere((address) => {
            address.username = 'is_nobody';
          }),
          StorageRefused,
        );
        await assert.rejects(
          elsewhere((address) => {
            address.pathname = '/is_nowhere';
          }),
          StorageRefused,
        );
        await assert.rejects(
          elsewhere(
            (address) => {
              address.username = role;
            },
            (driver) => driver.read(statement('select * from people')),
          ),
          StorageRefused,
        );
        await assert.rejects(
          elsewhere(readOnly, (driver) => driver.write([add('never')])),
          StorageRefused,
        );
      } finally {
        await admin.write([{ text: `drop role ${role}`, values: [] }]);
      }
    });

    test('a URL without the password that Postgres asks for is refused, not waited for', async () => {
      // The first two words of SCRAM (RFC 5802) as Postgres says them, whatever this one here demands of whom.
      const sockets: Socket[] = [];
      const asking = createServer((socket) => {
        sockets.push(socket);
        let heard = 0;
        socket.on('data', (chunk) => {
          heard += 1;
          const nonce = /r=([^,]+)/.exec(chunk.toString('latin1'))?.[1];
          if (heard === 1) socket.write(said(10, 'SCRAM-SHA-256\0\0'));
          if (heard === 2) socket.write(said(11, `r=${nonce}x,s=c2FsdA==,i=4096`));
        });
        socket.on('error', () => {});
      });
      await once(asking.listen(0, '127.0.0.1'), 'listening');
      const { port } = asking.address() as AddressInfo;
      const driver = openPostgres(`postgres://somebody@127.0.0.1:${port}/auth`);

      await assert.rejects(driver.read(statement('select 1')), StorageRefused);
      await driver.close();
      asking.close();
      // As Postgres does with whoever does not prove themselves for a minute.
      for (const socket of sockets) socket.destroy();
    });

    test('a script waits for the one another node is running', async () => {
      const scripts = Array.from({ length: 4 }, () => driver.script('create table if not exists once (id bigint)'));
      await Promise.all(scripts);

      await driver.script('drop table once');
    });
  });
}
