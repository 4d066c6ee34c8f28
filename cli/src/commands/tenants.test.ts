import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { openDatabase, openStorage, ROOT_TENANT } from 'auth-agent-mcp-server/node';
import { run } from '../run.ts';
import { commands } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-tenants-'));
after(() => rmSync(folder, { recursive: true }));
const databaseUrl = `sqlite:${join(folder, 'auth-agent.db')}`;
const env = {
  AUTH_AGENT_DATABASE_URL: databaseUrl,
  AUTH_AGENT_ISSUER: 'https://auth.example.com',
  AUTH_AGENT_SECRET: randomBytes(32).toString('base64'),
  LANG: 'en_US.UTF-8',
};
const password = 'correct horse battery';

type Given = { input?: string; tty?: boolean };
async function cli(line: string | string[], { input = '', tty = false }: Given = {}) {
  const out: string[] = [];
  const terminal = {
    env,
    stdin: Object.assign(Readable.from([input]), { isTTY: tty }),
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => out.push(text) },
    untilStopped: async () => 'SIGINT' as const,
  };
  const exit = await run(typeof line === 'string' ? line.split(' ') : line, terminal);
  return { exit, out: out.join('') };
}
async function data(line: string, given?: Given) {
  const { exit, out } = await cli(`${line} --json`, given);
  assert.equal(exit, 0, out);
  return JSON.parse(out).data;
}
async function storageOf() {
  const storage = openStorage(await openDatabase(databaseUrl));
  return { storage, [Symbol.asyncDispose]: () => storage.close() };
}
const settingsOf = async (slug: string) => (await data('tenants list')).tenants.find(({ tenant }: { tenant: string }) => tenant === slug).settings;

before(() => data('db migrate'));

/** Commands that look at the database and not at a tenant in it. */
const ofAllTenants: Record<string, string> = {
  start: 'it serves all tenants',
  'tenants add': 'the slug is its argument',
  'tenants set': 'the slug is its argument',
  'tenants list': 'it lists them',
  'tenants rm': 'the slug is its argument',
  'config print': 'settings are of the process',
  'db migrate': 'the schema is everybody’s',
  'db status': 'the schema is everybody’s',
  'db backup': 'a backup is of the whole database',
  'db restore': 'a backup is of the whole database',
};

test('every command that reads the database takes --tenant, or is about all of them', () => {
  const looking = commands.filter(({ flags = [] }) => flags.some(({ name }) => name === 'database-url'));
  const without = looking.filter(({ flags = [] }) => !flags.some(({ name }) => name === 'tenant')).map(({ name }) => name);

  assert.ok(looking.length > 40);
  assert.deepEqual(without.toSorted(), Object.keys(ofAllTenants).toSorted());
});

test('a tenant has the settings it was given; they are changed one by one, and unset ones are those of the server again', async () => {
  const added = await data('tenants add acme --name Acme --service-name AcmeAuth --registration closed --trusted-hosts a.example,b.example');
  assert.deepEqual(added.settings, { serviceName: 'AcmeAuth', clients: { registration: 'closed', trustedHosts: ['a.example', 'b.example'] } });

  await data('tenants set acme --contact help@acme.example --registration token');
  assert.deepEqual(await settingsOf('acme'), {
    serviceName: 'AcmeAuth',
    contact: 'help@acme.example',
    clients: { registration: 'token', trustedHosts: ['a.example', 'b.example'] },
  });
  assert.match((await cli('tenants list')).out, /acme +Acme +\S+ +serviceName, contact, registration, trustedHosts$/m);
  await data('tenants set acme --unset contact --unset trusted-hosts --unset registration --name Second');
  assert.deepEqual(await settingsOf('acme'), { serviceName: 'AcmeAuth' });
  await data('tenants set acme --unset --service-name');
  assert.deepEqual(await settingsOf('acme'), {});
  assert.equal((await data('tenants list')).tenants[0].name, 'Second');
});

test('a setting that no node could read is refused before it is kept, and nobody’s setting is that of the process', async () => {
  for (const [flags, text] of [
    ['--registration sometimes', /clients\.registration/],
    ['--access-token-seconds 5', /accessTokenSeconds/],
    ['--signing-algorithm none', /Unknown flag/],
    ['--port 1', /Unknown flag/],
    ['--unset port', /no setting that a tenant/],
    ['--unset secret', /no setting that a tenant/],
    ['--email-code true', /needs mail/],
    ['--limits nonsense', /limits/],
    ['--totp perhaps', /true or false/],
  ] as const) {
    const { exit, out } = await cli(`tenants set acme ${flags}`);

    assert.equal(exit, 2, flags);
    assert.match(out, text, flags);
  }
  assert.equal((await cli('tenants add wrong --registration sometimes')).exit, 2);
  assert.equal((await cli('tenants set nobody --name N')).exit, 4);
  assert.deepEqual((await data('tenants list')).tenants.length, 1);
  assert.deepEqual(await settingsOf('acme'), {});
});

test('a command that works on a tenant goes by its settings', async () => {
  await data('tenants set acme --password-min-length 30 --service-name grasshopper');

  assert.match((await cli('users add bob --tenant acme --password-stdin', { input: password })).out, /shorter than 30/);
  assert.match((await cli('users add bob --tenant acme --password-stdin', { input: 'my grasshopper sings all day long' })).out, /name of the service/);
  await data('users add bob --password-stdin', { input: password });
  await data('tenants set acme --unset password-min-length --unset service-name');
});

test('a tenant in which there is something is removed only with everything, after its name was typed or with --yes, and leaves no row', async () => {
  await data('tenants add gone');
  await data('users add ada --role owner --tenant gone --password-stdin', { input: password });
  await data('users add ada --role owner --tenant acme --password-stdin', { input: password });
  await data('servers add https://files.example.com --scope a --tenant gone --owner ada');

  const refused = await cli('tenants rm gone');
  assert.equal(refused.exit, 5);
  assert.match(refused.out, /users 1/);
  assert.match(refused.out, /servers 1/);
  assert.equal((await cli('tenants rm gone --yes')).exit, 5);
  assert.equal((await cli('tenants rm gone --everything')).exit, 2);
  assert.equal((await cli('tenants rm gone --everything', { tty: true, input: 'acme\n' })).exit, 10);
  assert.equal((await cli('tenants rm nobody --everything --yes')).exit, 4);
  assert.equal((await data('users list --tenant gone')).users.length, 1);

  const { rows } = await data('tenants rm gone --everything --yes');

  assert.deepEqual([rows.users, rows.servers], [1, 1]);
  assert.equal((await cli('users list --tenant gone')).exit, 4);
  const added = await cli('tenants add gone');
  assert.equal(added.exit, 5);
  assert.match(added.out, /removed lately/);
  assert.equal((await data('users list --tenant acme')).users.length, 1);
  await using opened = await storageOf();
  assert.deepEqual(await opened.storage.countRowsOf('gone'), {});
  const events = await opened.storage.forTenant(ROOT_TENANT).listEvents({ limit: 100 });
  assert.deepEqual(
    events.filter(({ detail }) => detail?.tenant === 'gone').map(({ type, actor }) => [type, actor]),
    [
      ['tenant.removed', 'cli'],
      ['tenant.added', 'cli'],
    ],
  );
});

test('what a screen says comes next is about the same tenant', async () => {
  await data('tenants add next');
  const added = await cli('users add ada --role owner --tenant next --password-stdin', { input: password });
  assert.match(added.out, /Next +auth-agent owner-tokens create ada --tenant next$/m);
  const server = await cli('servers add https://next.example.com --scope a --tenant next --owner ada');
  assert.match(server.out, /Next +auth-agent keys create srv_\w+ --name "Production Key" --tenant next$/m);
});

test('a tenant in which nobody ever was is removed with what it has by itself', async () => {
  await data('tenants add fresh');
  await data('setup-link --tenant fresh');
  await data('signing-keys list --tenant fresh');

  assert.equal((await cli('tenants rm fresh', { tty: true, input: 'fresh\n' })).exit, 0);
  await using opened = await storageOf();
  assert.deepEqual(await opened.storage.countRowsOf('fresh'), {});
});
