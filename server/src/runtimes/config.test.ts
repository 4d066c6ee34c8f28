import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkOptions, type ServerOptions } from '../options.ts';
import { openNodeSqlite } from '../storage/drivers/node-sqlite.ts';
import { loadConfig } from './config.ts';
import { nearest } from './nearest.ts';
import { flagOf, settings, variableOf } from './settings.ts';
import { StartRefused } from './start-refused.ts';
import { secretWeakness } from './weak-secret.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-config-'));
after(() => rmSync(folder, { recursive: true }));
const secret = randomBytes(32).toString('base64');

function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode });
  return path;
}

test('a setting has one name in three forms, and the flag wins over the variable over the file', () => {
  const path = file('a.json', JSON.stringify({ port: 1, host: '10.0.0.1', serviceName: 'File' }));
  const env = { AUTH_AGENT_PORT: '2', AUTH_AGENT_HOST: '10.0.0.2' };

  const config = loadConfig({ flags: { port: '3' }, env, file: path });

  assert.deepEqual([config.port, config.host, config.server.serviceName], [3, '10.0.0.2', 'File']);
  assert.deepEqual(config.sources, { port: '--port', host: 'AUTH_AGENT_HOST', serviceName: path });
  assert.deepEqual([flagOf('databaseUrl'), variableOf('databaseUrl')], ['database-url', 'AUTH_AGENT_DATABASE_URL']);
});

test('without any source the defaults are safe ones', () => {
  const config = loadConfig({ env: {} });

  assert.deepEqual(
    [config.host, config.port, config.databaseUrl, config.trustedProxies, config.issuer, config.secret],
    ['127.0.0.1', 9000, 'sqlite:./auth-agent.db', [], undefined, undefined],
  );
});

test('lists come from commas, repeated flags and JSON; switches and numbers from text', () => {
  const env = {
    AUTH_AGENT_TRUSTED_PROXIES: '10.0.0.0/8, ::1 ',
    AUTH_AGENT_CLIENT_DOCUMENTS: 'false',
    AUTH_AGENT_CODE_SECONDS: '30',
    AUTH_AGENT_DOCUMENT_HOSTS_DENY: 'evil.example',
  };
  const config = loadConfig({ flags: { trustedHosts: ['claude.ai', 'chatgpt.com,example.com'] }, env });

  assert.deepEqual(config.trustedProxies, ['10.0.0.0/8', '::1']);
  assert.deepEqual(config.server, {
    codeSeconds: 30,
    clients: { documents: false, documentHosts: { deny: ['evil.example'] }, trustedHosts: ['claude.ai', 'chatgpt.com', 'example.com'] },
  });
});

test('every option of the server can be set, and every setting goes to an option that exists', () => {
  const log = { info() {}, warn() {}, error() {} };
  const complete: ServerOptions = {
    issuer: 'https://a.example',
    secret,
    driver: openNodeSqlite(':memory:'),
    log,
    contact: 'x',
    accentColor: '1a73e8',
    clients: { documentHosts: { allow: [] } },
  };
  const leaves = (value: object, path = ''): string[] =>
    Object.entries(value).flatMap(([name, one]) =>
      typeof one === 'object' && one !== null && !Array.isArray(one) ? leaves(one, `${path}${name}.`) : [path + name],
    );
  const { driver, log: _, now, ...options } = checkOptions(complete);

  assert.deepEqual(leaves(options).sort(), settings.flatMap(({ option }) => option ?? []).sort());
});

test('secrets can be files, never flags, and others should not be able to read them', () => {
  const path = file('secret', `${secret}\n`);
  const open = file('open.json', JSON.stringify({ secret }), 0o644);

  assert.equal(loadConfig({ env: { AUTH_AGENT_SECRET_FILE: path } }).secret, secret);
  assert.equal(loadConfig({ flags: { secretFile: path }, env: {} }).secret, secret);
  assert.match(loadConfig({ env: {}, file: open }).warnings.join(), /chmod 600/);
  assert.throws(() => loadConfig({ env: { AUTH_AGENT_SECRET_FILE: join(folder, 'none') } }), StartRefused);
  assert.match(loadConfig({ env: { AUTH_AGENT_SECRET: secret, AUTH_AGENT_SECRET_FILE: path } }).warnings.join(), /both set/);
});

test('what is set is shown without secrets: of an address where it leads, of the secret nothing', () => {
  const { shown } = loadConfig({
    env: {
      AUTH_AGENT_SECRET: 'https://looks.like/an-address',
      AUTH_AGENT_DATABASE_URL: 'postgres://app:p@ss/word@db:5432/auth?password=hidden',
      AUTH_AGENT_SMTP_URL: 'smtps://mailer:pass@mail.example:465',
      AUTH_AGENT_MAIL_FROM: 'auth@example.com',
      AUTH_AGENT_TRUSTED_PROXIES: '10.0.0.0/8,127.0.0.1',
    },
  });

  assert.deepEqual(shown, {
    secret: '***',
    databaseUrl: '***',
    trustedProxies: '10.0.0.0/8, 127.0.0.1',
    smtpUrl: 'smtps://mail.example:465 (the rest is not shown)',
    mailFrom: 'auth@example.com',
  });
  const database = (AUTH_AGENT_DATABASE_URL: string) => loadConfig({ env: { AUTH_AGENT_DATABASE_URL } }).shown.databaseUrl;
  assert.equal(database('postgres://app:p%2Fss@db:5432/auth?password=hidden'), 'postgres://db:5432/auth (the rest is not shown)');
  assert.equal(database('sqlite:./auth-agent.db'), 'sqlite:./auth-agent.db');
});

test('an unknown variable or member is a warning with the nearest name', () => {
  const path = file('b.json', JSON.stringify({ isuer: 'https://a.example' }));
  const { warnings } = loadConfig({
    env: {
      AUTH_AGENT_ISSUR: 'x',
      AUTH_AGENT_URL: 'x',
      AUTH_AGENT_API_KEY: 'x',
      AUTH_AGENT_CLIENT_STORE: 'x',
      AUTH_AGENT_ENV: 'x',
      OTHER: 'x',
      AUTH_AGENT_ZZZZZZZZ: 'x',
    },
    file: path,
  });

  assert.deepEqual(warnings, [
    `${path} has an unknown member isuer; did you mean issuer?`,
    'AUTH_AGENT_ISSUR is set but not known; did you mean AUTH_AGENT_ISSUER?',
    'AUTH_AGENT_ZZZZZZZZ is set but not known',
  ]);
  assert.equal(nearest('severs', ['servers', 'users', 'keys']), 'servers');
});

test('a value of the wrong form is refused with the place where it was set', () => {
  const refused = (env: Record<string, string>, where: RegExp) =>
    assert.throws(
      () => loadConfig({ env }),
      (error) => error instanceof StartRefused && where.test(error.why),
    );
  refused({ AUTH_AGENT_PORT: 'ninethousand' }, /AUTH_AGENT_PORT/);
  refused({ AUTH_AGENT_PORT: '70000' }, /AUTH_AGENT_PORT/);
  refused({ AUTH_AGENT_CLIENT_DOCUMENTS: 'yes' }, /AUTH_AGENT_CLIENT_DOCUMENTS/);
  refused({ AUTH_AGENT_LOG_FORMAT: 'xml' }, /AUTH_AGENT_LOG_FORMAT/);
  for (const text of ['{', '[]', '"x"']) assert.throws(() => loadConfig({ env: {}, file: file('c.json', text) }), StartRefused);
  assert.throws(() => loadConfig({ env: {}, file: join(folder, 'missing.json') }), StartRefused);
});

test('the text of an error never repeats what a secret file or configuration holds', () => {
  const path = file('d.json', '{"secret": "hunter2-hunter2",');

  assert.throws(
    () => loadConfig({ env: {}, file: path }),
    (error) => error instanceof StartRefused && !`${error.message} ${error.why} ${error.fix}`.includes('hunter2'),
  );
  const comma = file('comma.json', '{\n  "port": 9000,\n  "secret": "hunter2-hunter2",\n}');
  assert.throws(() => loadConfig({ env: {}, file: comma }), { message: `${comma} is not a JSON object: line 4, column 1` });
});

test('a secret that could be guessed is told from a random one', () => {
  for (let round = 0; round < 500; round++) {
    for (const good of [
      randomBytes(32).toString('base64'),
      randomBytes(32).toString('base64url'),
      randomBytes(32).toString('hex'),
      randomBytes(16).toString('hex'),
    ])
      assert.equal(secretWeakness(good), undefined, good);
  }
  for (const weak of [
    'short',
    'a'.repeat(64),
    'abcabcabc'.repeat(8),
    'change-me-change-me-change-me-change-me',
    'this is an example secret, please replace',
    '0123456789'.repeat(5),
    'abcdefghijklmnopqrstuvwxyz0123456789',
  ])
    assert.equal(typeof secretWeakness(weak), 'string', weak);
});
