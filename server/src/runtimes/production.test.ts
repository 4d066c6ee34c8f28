import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { metric, readPrometheusText } from '../../test/prometheus-text.ts';
import { auditEvent } from '../audit/event.ts';
import type { Context } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import { hashPassword } from '../crypto/password.ts';
import { openStorage } from '../storage/open.ts';
import type { Store } from '../storage/store.ts';
import { sealCredential } from '../upstream/client.ts';
import { loadConfig } from './config.ts';
import { isSpokenInClear, openDatabase, parseDatabaseUrl } from './database.ts';
import { nodeLog } from './log.ts';
import { serverFrom, startProduction } from './production.ts';
import { checkProduction } from './production-config.ts';
import { StartRefused } from './start-refused.ts';
import { openMetricsPort } from './telemetry/metrics-port.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-start-'));
after(() => rmSync(folder, { recursive: true }));
const secret = randomBytes(32).toString('base64');
const lines: string[] = [];
const log = nodeLog({ format: 'json', output: { write: (line) => lines.push(line) } });
const env = { AUTH_AGENT_ISSUER: 'https://auth.example.com', AUTH_AGENT_SECRET: secret, AUTH_AGENT_PORT: '0' };
const configOf = (file: string, more: Record<string, string> = {}) =>
  loadConfig({ env: { ...env, AUTH_AGENT_DATABASE_URL: `sqlite:${join(folder, file)}`, ...more } });

async function refusal(start: () => unknown): Promise<StartRefused> {
  try {
    await start();
  } catch (error) {
    if (error instanceof StartRefused) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: 'it started' });
}

async function prepared(file: string, prepare: (store: Store, context: Context) => Promise<unknown>): Promise<void> {
  const config = configOf(file);
  checkProduction(config);
  const server = serverFrom(config, await openDatabase(config.databaseUrl), log);
  await server.storage.migrate(1);
  const context = (await server.context()) as Context;
  await prepare(context.store, context);
  await server.storage.close();
}

test('a start into which nobody could sign in is refused: without passwords there are codes by mail, or an upstream is listed', async () => {
  const off = { AUTH_AGENT_PASSWORD: 'false' };
  const refused = await refusal(() => startProduction(configOf('nobody.db', off), log));
  assert.match(refused.message, /Nobody could sign in/);

  await prepared('nobody.db', (store, context) =>
    store.addUpstream(
      {
        id: 'acme',
        name: 'Acme',
        recipe: 'openid',
        issuer: 'https://login.acme.example',
        clientId: 'c',
        credentialSealed: sealCredential('acme', { secret: 's' }, context),
        scope: ['openid'],
        privateNetwork: false,
        createdAt: 1,
      },
      auditEvent('upstream.added', 1, 'test'),
    ),
  );
  const running = await startProduction(configOf('nobody.db', off), log);
  await running.stop({ drainSeconds: 0 });
});

test('[META-05] a start without an issuer, or with one that is http off loopback or not canonical, is refused with the fix', async () => {
  for (const issuer of [
    '',
    'http://auth.example.com',
    'http://192.168.1.5:9000',
    'https://auth.example.com/',
    'https://a:b@auth.example.com',
    'https://auth.example.com/?x',
    'https://auth.example.com#x',
    'auth.example.com',
  ]) {
    const refused = await refusal(() => startProduction(configOf('never.db', { AUTH_AGENT_ISSUER: issuer }), log));

    assert.match(`${refused.message} ${refused.why} ${refused.fix}`, /issuer.*AUTH_AGENT_ISSUER=https/is, issuer);
  }
  assert.ok(!existsSync(join(folder, 'never.db')), 'nothing was opened');
  for (const issuer of ['https://auth.example.com', 'http://localhost:9000', 'http://127.0.0.1:9000'])
    checkProduction(configOf('never.db', { AUTH_AGENT_ISSUER: issuer }));
});

test('a start without a secret, or with one that could be guessed, is refused without repeating it', async () => {
  for (const weak of ['', 'hunter2', 'hunter2'.repeat(9), 'please-change-me-please-change-me-hunter2']) {
    const refused = await refusal(() => startProduction(configOf('never.db', { AUTH_AGENT_SECRET: weak }), log));

    assert.match(refused.fix, /openssl rand/);
    assert.ok(!`${refused.message} ${refused.why} ${refused.fix}`.includes('hunter2'));
  }
});

test('a setting out of range is refused by its name before anything listens', async () => {
  const refused = await refusal(() => startProduction(configOf('range.db', { AUTH_AGENT_CODE_SECONDS: '9999' }), log));

  assert.match(refused.message, /codeSeconds/);
});

test('a setting that cannot be read is refused by its name before the database is opened, and its value is not repeated where it is a secret', async () => {
  const mail = { AUTH_AGENT_MAIL_FROM: 'auth@example.com', AUTH_AGENT_SMTP_URL: 'smtp://user:50%off@mail.example' };
  const [proxies, smtp] = [
    await refusal(() => startProduction(configOf('unread.db', { AUTH_AGENT_TRUSTED_PROXIES: '10.0.0.0/8,caddy' }), log)),
    await refusal(() => startProduction(configOf('unread.db', mail), log)),
  ];

  assert.match(proxies.message, /trustedProxies.*caddy/);
  assert.match(smtp.message, /smtpUrl.*%25/);
  assert.ok(![smtp.message, smtp.why, smtp.fix].join().includes('50%'));
  assert.deepEqual([proxies.kind, smtp.kind, existsSync(join(folder, 'unread.db'))], ['usage', 'usage', false]);
});

test('a database of development mode is refused and stays as it is', async () => {
  await prepared('demo.db', async () => {});
  const storage = openStorage(await openDatabase(`sqlite:${join(folder, 'demo.db')}`));
  await storage.setFact('demo', 'yes');
  await storage.close();

  const refused = await refusal(() => startProduction(configOf('demo.db'), log));

  assert.equal(refused.kind, 'policy');
  assert.match(refused.message, /development mode/);
});

test('every secret of the documentation is refused, wherever it came from', async () => {
  const event = (type: Parameters<typeof auditEvent>[0]) => auditEvent(type, 1, 'test');
  const client =
    (id: string, clientSecret: string) =>
    (store: Store, { instance }: Context) =>
      store.addClient(
        {
          id,
          registration: 'manual',
          metadata: { redirectUris: [], grantTypes: ['client_credentials'], responseTypes: [], tokenEndpointAuthMethod: 'client_secret_basic' },
          secretHash: instance.mac('client-secret', id, clientSecret),
          createdAt: 1,
          lastUsedAt: 1,
        },
        event('client.registered'),
      );
  const user = (password: string) => async (store: Store) =>
    store.addUser({ id: 'usr_1', username: 'TestUser', role: 'user', createdAt: 1, passwordHash: await hashPassword(password) }, event('user.added'));
  const bad = {
    key: async (store: Store) => {
      const server = {
        id: 'srv_1',
        ownerId: 'usr_1',
        resource: 'https://a.example',
        serverUrl: 'https://a.example',
        name: 'a',
        scopes: [],
        createdAt: 1,
        updatedAt: 1,
      };
      await store.addServer(server, event('server.added'));
      await store.addKey({ id: 'sk_1', serverId: 'srv_1', name: 'k', secretHash: sha256('sk_xyz789'), createdAt: 1, expiresAt: 9e9 }, event('key.created'));
    },
    'test-client': client('mcp-test-client', 'mcp-test-secret'),
    'task-manager': client('mcp-task-manager', 'mcp-secret-12345'),
    assistant: client('ai-agent-assistant', 'agent-secret-67890'),
    user: user('testpass'),
  };
  for (const [name, prepare] of Object.entries(bad)) {
    await prepared(`${name}.db`, prepare);
    const refused = await refusal(() => startProduction(configOf(`${name}.db`), log));
    assert.match(refused.message, /from the documentation/, name);
  }
  const revoked = async (store: Store) => {
    await bad.key(store);
    await store.revokeKey('srv_1', 'sk_1', event('key.revoked'));
  };
  const good = { revoked, 'own-secret': client('mcp-test-client', 'another secret'), 'own-password': user('another password') };
  for (const [name, prepare] of Object.entries(good)) {
    await prepared(`${name}.db`, prepare);
    await (await startProduction(configOf(`${name}.db`), log)).stop({ drainSeconds: 0 });
  }
});

test('[KEY-06] a new database file is readable by its owner only, and so is the copy made before a migration', async () => {
  const path = join(folder, 'older.db');
  const older = new DatabaseSync(path);
  older.exec("create table notes (text text); insert into notes values ('kept')");
  older.close();

  const running = await startProduction(configOf('older.db'), log);
  await running.stop({ drainSeconds: 0 });

  const [copy = ''] = readdirSync(folder).filter((name) => name.startsWith('older.db.backup-'));
  assert.match(copy, /^older\.db\.backup-\d{8}T\d{6}$/);
  for (const file of ['older.db', copy]) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file);
  const before = new DatabaseSync(join(folder, copy), { readOnly: true });
  assert.deepEqual(
    before
      .prepare('select text from notes')
      .all()
      .map((row) => row.text),
    ['kept'],
  );
  assert.equal(before.prepare("select count(*) as n from sqlite_master where name = 'users'").get()?.n, 0);
  before.close();
});

test('a database of a newer version, and one whose restore was not finished, are refused before anything listens', async () => {
  const later = "insert into schema_migrations (name, checksum, applied_at) values ('9999-later', '', 1)";
  const half = "insert into facts (name, value) values ('restoring', 'yes')";
  for (const [name, statement, said] of [
    ['newer.db', later, /newer version: it has 9999-later/],
    ['half.db', half, /was not finished/],
  ] as const) {
    await (await startProduction(configOf(name), log)).stop({ drainSeconds: 0 });
    const database = new DatabaseSync(join(folder, name));
    database.exec(statement);
    database.close();

    assert.match((await refusal(() => startProduction(configOf(name), log))).message, said);
  }
});

test('[KEY-06] another secret does not open the keys: the start says so, and nothing listens', async () => {
  await (await startProduction(configOf('sealed.db'), log)).stop({ drainSeconds: 0 });
  const refused = await refusal(() => startProduction(configOf('sealed.db', { AUTH_AGENT_SECRET: randomBytes(32).toString('base64') }), log));

  assert.match(refused.message, /secret does not open/);
});

test('a start under another issuer than the one before says so, once, with both', async () => {
  const moved = { AUTH_AGENT_ISSUER: 'https://login.example.com' };
  for (const [more, said] of [
    [{}, undefined],
    [{}, undefined],
    [moved, 'https://auth.example.com'],
    [moved, undefined],
  ] as const) {
    const from = lines.length;
    await (await startProduction(configOf('moved.db', more), log)).stop({ drainSeconds: 0 });
    const warnings = lines
      .slice(from)
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === 'start.issuer_changed');
    assert.deepEqual(
      warnings.map(({ before, issuer }) => [before, issuer]),
      said === undefined ? [] : [[said, moved.AUTH_AGENT_ISSUER]],
    );
  }
});

test('[KEY-06] [TOK-10] no private key and no secret is in the database in the clear, or in the log of a start', async () => {
  const running = await startProduction(configOf('clear.db'), log);
  const rows = await running.context.store.listSigningKeys(running.context.now());
  await running.stop({ drainSeconds: 0 });

  assert.ok(rows.length >= 2);
  for (const row of rows) {
    assert.ok(!/PRIVATE KEY/.test(row.privateSealed) && !('d' in JSON.parse(row.publicJwk)));
    assert.ok(!lines.join('').includes(row.privateSealed));
  }
  assert.ok(!lines.join('').includes(secret));
});

test('a Postgres database without its tables is refused with the command to run', {
  skip: !process.env.AUTH_AGENT_TEST_POSTGRES && 'AUTH_AGENT_TEST_POSTGRES is not set',
}, async () => {
  const url = new URL(process.env.AUTH_AGENT_TEST_POSTGRES ?? '');
  const schema = `start_${randomBytes(6).toString('hex')}`;
  url.searchParams.set('options', `-c search_path=${schema}`);
  const refused = await refusal(() => startProduction(configOf('', { AUTH_AGENT_DATABASE_URL: url.href }), log));

  assert.equal(refused.fix, 'auth-agent db migrate');
});

test('a Postgres off this machine without TLS is worth a warning, unless its URL says that this is meant', async () => {
  const spoken = async (urls: string[]) => Promise.all(urls.map(isSpokenInClear));

  const clear = ['postgres://u:p@db:5432/a', 'postgresql://u@10.0.0.5/a', 'postgres://u@db/a?application_name=x', 'postgres://u@[2001:db8::1]/a'];
  assert.deepEqual(await spoken(clear), [true, true, true, true]);
  const local = ['postgres://u@localhost/a', 'postgres://u@127.0.0.1/a', 'postgres://u@[::1]/a', 'postgres://u@x/a?host=/run/postgresql', 'sqlite:./a.db'];
  assert.deepEqual(await spoken(local), [false, false, false, false, false]);
  const said = ['disable', 'verify-full', 'no-verify'].map((mode) => `postgres://u@db/a?sslmode=${mode}`);
  assert.deepEqual(await spoken([...said, 'postgres://u@db/a?ssl=true']), [false, false, false, false]);
});

test('a database URL is read one way only', () => {
  assert.deepEqual(parseDatabaseUrl('sqlite:./a.db'), { kind: 'file', path: './a.db' });
  assert.deepEqual(parseDatabaseUrl('sqlite:/var/a.db'), { kind: 'file', path: '/var/a.db' });
  assert.deepEqual(parseDatabaseUrl('sqlite:///var/a.db'), { kind: 'file', path: '/var/a.db' });
  assert.deepEqual(parseDatabaseUrl('sqlite::memory:'), { kind: 'memory' });
  assert.equal(parseDatabaseUrl('postgresql://u:p@h/d').kind, 'postgres');
  for (const bad of ['', 'sqlite:', 'mysql://h/d', 'auth-agent.db', 'file:a.db', 'postgres:']) assert.throws(() => parseDatabaseUrl(bad), StartRefused, bad);
});

test('metrics are read on a port of their own, which the server does not answer and which closes with it', async () => {
  const running = await startProduction(configOf('metrics.db', { AUTH_AGENT_METRICS_PORT: '0' }), log);
  const url = running.metricsUrl ?? '';

  await fetch(`${running.url}/health`);
  const families = readPrometheusText(await (await fetch(url)).text());

  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  assert.equal(metric(families, 'auth_agent_http_request_duration_seconds_count', { route: '/health', method: 'GET', status: '2xx' }), 1);
  assert.ok((metric(families, 'auth_agent_store_operation_duration_seconds_count', { operation: 'read', outcome: 'ok' }) ?? 0) > 0);
  assert.equal((await fetch(`${running.url}/metrics`)).status, 404);
  await running.stop({ drainSeconds: 0 });
  await assert.rejects(fetch(url));
});

test('nothing is counted unless it was asked for, and a metrics port out of range is refused by its name', async () => {
  const running = await startProduction(configOf('no-metrics.db'), log);
  await running.stop({ drainSeconds: 0 });

  assert.deepEqual([running.metricsUrl, running.server.options.observe], [undefined, undefined]);
  const refused = await refusal(() => configOf('never.db', { AUTH_AGENT_METRICS_PORT: '70000' }));
  assert.match(refused.message, /metricsPort must be from 0 to 65535/);
});

test('a metrics port that is taken stops the start, and leaves neither server nor database open', async () => {
  const taken = await openMetricsPort({ host: '127.0.0.1', port: 0 }, () => '');
  after(taken.close);

  const refused = await refusal(() => startProduction(configOf('taken.db', { AUTH_AGENT_METRICS_PORT: new URL(taken.url).port }), log));

  assert.match(refused.fix, /AUTH_AGENT_METRICS_PORT/);
});
