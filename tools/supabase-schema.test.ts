/**
 * supabase/schema.sql is what the migrations make, and on a real Postgres with Supabase's roles nobody but the server reads anything.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { backupLines, openDatabase, openStorage, ROOT_TENANT, randomWord, restoreLines } from '../server/src/runtimes/node.ts';
import type { Driver } from '../server/src/storage/driver.ts';
import { supabaseSchema } from './supabase-schema.ts';

const url = process.env.AUTH_AGENT_TEST_POSTGRES;
const written = readFileSync(new URL('../supabase/schema.sql', import.meta.url), 'utf8');
const deployment = readFileSync(new URL('../DEPLOYMENT.md', import.meta.url), 'utf8');

test('supabase/schema.sql is what the migrations make: npm run schema:supabase', async () => {
  assert.equal(written, await supabaseSchema());
});

test('before the tables stand the four statements that DEPLOYMENT.md counts, and behind them one block', () => {
  const [before = '', after = ''] = written.split(/^set role auth_agent;$/m);
  const begins = before.split('\n').flatMap((line) => /^(\w+ \w+).*;$/.exec(line)?.[1] ?? []);
  assert.deepEqual(begins, ['create role', 'grant auth_agent', 'create schema', 'alter role']);
  assert.match(after, /\n\ndo \$\$\n[^$]+\n\$\$;\n$/);
});

if (url === undefined || url === '') {
  test('Postgres loads supabase/schema.sql', { skip: !process.env.CI && 'AUTH_AGENT_TEST_POSTGRES is not set; try tools/postgres.sh run' }, () => {
    throw new Error('CI must load the schema into a real Postgres: set AUTH_AGENT_TEST_POSTGRES');
  });
} else loaded(url);

function loaded(adminUrl: string): void {
  describe('supabase/schema.sql in a database with roles for strangers', () => {
    const name = `supabase_${randomWord(12).toLowerCase()}`;
    const own = new URL(adminUrl);
    own.pathname = `/${name}`;
    const as = (user: string): string => Object.assign(new URL(own.href), { username: user }).href;
    let admin: Driver;
    let owner: Driver;
    const ask = (driver: Driver, text: string) => driver.read({ text, values: [] });
    const strangers = ['anon', 'authenticated'];

    before(async () => {
      admin = await openDatabase(adminUrl);
      await admin.write([{ text: `create database ${name}`, values: [] }]);
      owner = await openDatabase(own.href);
      // As Supabase has them: they may log in through its gateway, and get everything new in "public".
      for (const role of strangers) await owner.script(`create role ${role} login`);
      await owner.script(`alter default privileges grant all on tables to ${strangers.join(', ')}`);
      await owner.script(written);
    });
    after(async () => {
      await owner.close();
      await admin.write([{ text: `drop database ${name} with (force)`, values: [] }]);
      await admin.script(`drop role auth_agent, ${strangers.join(', ')}`);
      await admin.close();
    });

    const open = () => ask(owner, "select relname from pg_class where relnamespace = 'auth_agent'::regnamespace and relkind = 'r' and not relrowsecurity");

    test('every table has row level security', async () => {
      assert.deepEqual(await open(), []);
      assert.deepEqual(await ask(owner, "select tablename from pg_tables where schemaname = 'public'"), []);
    });

    test('strangers read and write nothing', async () => {
      const tables = (await ask(owner, "select tablename from pg_tables where schemaname = 'auth_agent'")).map(({ tablename }) => String(tablename));
      assert.ok(tables.length > 20);
      const refused = { name: 'StorageRefused', message: /^permission denied for/ };
      for (const role of strangers) {
        const stranger = await openDatabase(as(role));
        for (const table of tables) {
          await assert.rejects(ask(stranger, `select * from auth_agent.${table}`), refused, table);
          await assert.rejects(stranger.write([{ text: `delete from auth_agent.${table}`, values: [] }]), refused, table);
        }
        await stranger.close();
      }
    });

    test('a right given by mistake still shows no row', async () => {
      await owner.script('grant usage on schema auth_agent to anon; grant select on auth_agent.schema_migrations to anon');
      const anon = await openDatabase(as('anon'));
      assert.deepEqual(await ask(anon, 'select * from auth_agent.schema_migrations'), []);
      await anon.close();
    });

    test('the server finds an up-to-date database and works in it', async () => {
      const storage = openStorage(await openDatabase(as('auth_agent')));
      assert.deepEqual([await storage.pendingMigrations(), await storage.unknownMigrations()], [[], []]);
      const store = storage.forTenant(ROOT_TENANT);
      const person = { id: 'usr_1', username: 'ada', role: 'user' as const, createdAt: 1 };
      assert.equal(await store.addUser(person, { id: 'evt_1', at: 1, type: 'user.added', actor: 'test' }), 'added');
      assert.equal((await store.findUserByLogin('ada'))?.user.id, 'usr_1');
      assert.deepEqual(await storage.migrate(2), []);
      await storage.close();
    });

    test('a backup is restored as DEPLOYMENT.md says, once what was there is put aside, and the last block closes its tables', async () => {
      const own = await openDatabase(as('auth_agent'));
      const lines = await Readable.from(backupLines(own, 2)).toArray();
      const restore = () => restoreLines(own, Readable.from(lines), { now: 3, keepAccess: true });

      await assert.rejects(restore(), { name: 'NotEmpty' });
      const aside = 'alter schema auth_agent rename to aside; create schema auth_agent authorization auth_agent;';
      assert.ok(deployment.includes(aside));
      await owner.script(aside);
      await restore();
      assert.ok((await open()).length > 20);
      await owner.script(written.slice(written.lastIndexOf('do $$')));

      assert.deepEqual(await open(), []);
      assert.equal((await openStorage(own).forTenant(ROOT_TENANT).findUserByLogin('ada'))?.user.id, 'usr_1');
      await own.close();
    });
  });
}
