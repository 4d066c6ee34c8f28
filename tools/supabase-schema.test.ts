/**
 * supabase/schema.sql is what the migrations make, and on a real Postgres with Supabase's roles nobody but the server reads anything.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { openDatabase, openStorage, ROOT_TENANT, randomWord } from '../server/src/runtimes/node.ts';
import type { Driver } from '../server/src/storage/driver.ts';
import { supabaseSchema } from './supabase-schema.ts';

const url = process.env.AUTH_AGENT_TEST_POSTGRES;
const written = readFileSync(new URL('../supabase/schema.sql', import.meta.url), 'utf8');

test('supabase/schema.sql is what the migrations make: npm run schema:supabase', async () => {
  assert.equal(written, await supabaseSchema());
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

    test('every table has row level security', async () => {
      const open = await ask(owner, "select relname from pg_class where relnamespace = 'auth_agent'::regnamespace and relkind = 'r' and not relrowsecurity");
      assert.deepEqual(open, []);
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
  });
}
