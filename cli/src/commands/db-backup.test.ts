/**
 * Backup and restore as an operator runs them: files, passphrases, what is refused. That every row of every table comes back: server/src/storage/backup.test.ts.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { run } from '../run.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-db-backup-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const secret = randomBytes(32).toString('base64');
const passphrase = at('passphrase');

async function cli(words: string[], { database = 'live.db', env = {} }: { database?: string; env?: Record<string, string> } = {}) {
  const out: string[] = [];
  const terminal = {
    env: { AUTH_AGENT_DATABASE_URL: `sqlite:${at(database)}`, AUTH_AGENT_ISSUER: 'https://auth.example.com', AUTH_AGENT_SECRET: secret, ...env },
    stdin: Object.assign(Readable.from(['correct horse battery\n']), { isTTY: false }),
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: () => true },
    untilStopped: async () => 'SIGINT' as const,
  };
  return { exit: await run([...words, '--json'], terminal), said: out.join('') };
}

before(async () => {
  writeFileSync(passphrase, `${randomBytes(24).toString('base64')}\n`);
  assert.equal((await cli(['db', 'migrate'])).exit, 0);
  assert.equal((await cli(['users', 'add', 'ada', '--email', 'ada@example.com', '--password-stdin'])).exit, 0);
  assert.equal((await cli(['signing-keys', 'rotate'])).exit, 0);
});

test('a backup restores into another database, where the same people are', async () => {
  const file = at('plain.aab');
  assert.equal((await cli(['db', 'backup', '--to', file])).exit, 0);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.unfinished')),
    [],
  );
  assert.equal((await cli(['db', 'restore', file], { database: 'second.db' })).exit, 0);

  const people = async (database: string) => JSON.parse((await cli(['users', 'list'], { database })).said).data;
  assert.deepEqual(await people('second.db'), await people('live.db'));
  assert.equal((await cli(['db', 'restore', file], { database: 'second.db' })).exit, 5);
});

test('[OPS-04] a restore ends what may have been revoked since, unless --keep-access says that nothing was', async () => {
  const { data } = JSON.parse((await cli(['registration-tokens', 'create', '--name', 'ours'])).said);
  const file = at('access.aab');
  assert.equal((await cli(['db', 'backup', '--to', file])).exit, 0);
  const restored = async (database: string, ...flags: string[]) => {
    const { exit, said } = await cli(['db', 'restore', file, ...flags], { database });
    assert.equal(exit, 0, said);
    const { tokens } = JSON.parse((await cli(['registration-tokens', 'list'], { database })).said).data;
    return { ended: JSON.parse(said).data.ended, token: tokens.find((one: { id: string }) => one.id === data.id) };
  };

  const [ended, kept] = [await restored('ended.db'), await restored('kept.db', '--keep-access')];
  assert.deepEqual(ended.ended, { grants: 0, sessions: 0 });
  assert.equal(kept.ended, undefined);
  assert.notDeepEqual(ended.token, kept.token);
});

test('a backup that cannot be written where it should be says what helps, and is no fault to report', async () => {
  const { exit, said } = await cli(['db', 'backup', '--to', at('missing/x.aab')]);
  assert.equal(exit, 1);
  const { message, why, fix } = JSON.parse(said).error;
  assert.match(message, /cannot be written to .*missing\/x\.aab$/);
  assert.match(why, /ENOENT/);
  assert.match(fix, /a folder that exists/);
});

test('an encrypted backup shows nothing and opens with its passphrase alone', async () => {
  const file = at('sealed.aab');
  assert.equal((await cli(['db', 'backup', '--to', file, '--passphrase-file', passphrase])).exit, 0);
  writeFileSync(at('other'), 'another passphrase');

  for (const flags of [[], ['--passphrase-file', at('other')]]) {
    const { exit, said } = await cli(['db', 'restore', file, '--verify', ...flags]);
    assert.equal(exit, 9);
    assert.match(JSON.parse(said).error.fix, /--passphrase-file <file> or AUTH_AGENT_BACKUP_PASSPHRASE_FILE/);
  }
  const verified = await cli(['db', 'restore', file, '--verify'], { env: { AUTH_AGENT_BACKUP_PASSPHRASE_FILE: passphrase } });
  assert.equal(verified.exit, 0, verified.said);
  assert.ok(JSON.parse(verified.said).data.signing_keys_opened >= 2);
});

test('with a passphrase only an encrypted backup is taken: whoever can write beside it cannot put another in its place', async () => {
  const file = at('bare.aab');
  assert.equal((await cli(['db', 'backup', '--to', file])).exit, 0);

  for (const flags of [[], ['--verify']]) {
    const { exit, said } = await cli(['db', 'restore', file, '--passphrase-file', passphrase, ...flags], { database: 'swapped.db' });
    assert.equal(exit, 9, said);
    assert.match(said, /not encrypted/);
  }

  assert.equal(
    (await cli(['db', 'restore', file], { database: 'swapped.db' })).exit,
    0,
    'nothing was written, and without the passphrase it is what was asked for',
  );
});

test('verifying with another secret says that the signing keys do not open, and touches no database', async () => {
  const file = at('keys.aab');
  await cli(['db', 'backup', '--to', file]);
  const { exit, said } = await cli(['db', 'restore', file, '--verify'], {
    database: 'untouched.db',
    env: { AUTH_AGENT_SECRET: randomBytes(32).toString('base64') },
  });

  assert.deepEqual([exit, existsSync(at('untouched.db'))], [9, false], said);
});

test('a file that was changed or cut short anywhere is not restored', async () => {
  for (const [name, flags] of [
    ['p.aab', []],
    ['s.aab', ['--passphrase-file', passphrase]],
  ] as const) {
    await cli(['db', 'backup', '--to', at(name), ...flags]);
    const bytes = readFileSync(at(name));
    const damaged = [bytes.subarray(0, 3), bytes.subarray(0, bytes.length - 1), bytes.subarray(0, bytes.length / 2)];
    // Bytes 9 to 12 are the time in a gzip header, which says nothing.
    for (const place of [0, 4, 5, 20, Math.floor(bytes.length / 2), bytes.length - 3]) {
      const changed = Buffer.from(bytes);
      changed[place] = (changed[place] ?? 0) ^ 0x40;
      damaged.push(changed);
    }
    for (const [index, content] of damaged.entries()) {
      writeFileSync(at('damaged.aab'), content);
      const { exit, said } = await cli(['db', 'restore', at('damaged.aab'), '--verify', ...flags]);
      assert.equal(exit, 9, `${name} ${index}: ${said}`);
    }
  }
});

test('nothing is written over, and nothing half is left where a backup failed', async () => {
  writeFileSync(at('mine'), 'mine');
  assert.equal((await cli(['db', 'backup', '--to', at('mine')])).exit, 5);
  assert.equal(readFileSync(at('mine'), 'utf8'), 'mine');
  assert.equal((await cli(['db', 'backup', '--to', at('none.aab')], { database: 'none.db' })).exit, 4);
  assert.equal(existsSync(at('none.aab')), false);
  writeFileSync(at('short'), 'short');
  assert.equal((await cli(['db', 'backup', '--to', at('short.aab'), '--passphrase-file', at('short')])).exit, 2);
});

/** Runs a command in a process of its own and ends it as soon as a file whose name matches appears in `watched`. */
async function interrupted(words: string[], { watched, name }: { watched: string; name: RegExp }): Promise<void> {
  const env = { PATH: process.env.PATH, TMPDIR: watched, AUTH_AGENT_DATABASE_URL: `sqlite:${at('live.db')}`, AUTH_AGENT_BACKUP_PASSPHRASE_FILE: passphrase };
  const watcher = watch(watched);
  const child = spawn(process.execPath, ['--conditions=aa-source', new URL('../main.ts', import.meta.url).pathname, ...words], { env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  watcher.on('change', (_change, file) => name.test(String(file)) && child.kill('SIGTERM'));
  await ended;
  watcher.close();
}

test('a verification that is interrupted leaves nothing in clear behind', async () => {
  const file = at('interrupted.aab');
  assert.equal((await cli(['db', 'backup', '--to', file, '--passphrase-file', passphrase])).exit, 0);
  const temporary = mkdtempSync(at('temporary-'));

  await interrupted(['db', 'restore', file, '--verify'], { watched: temporary, name: /^auth-agent-verify-/ });

  assert.deepEqual(readdirSync(temporary), []);
});

test('a backup that is interrupted leaves no name behind that looks like a backup, and no half of one', async () => {
  const target = mkdtempSync(at('target-'));

  await interrupted(['db', 'backup', '--to', join(target, 'b.aab')], { watched: target, name: /unfinished$/ });

  const left = readdirSync(target);
  assert.deepEqual(
    left.filter((name) => name !== 'b.aab'),
    [],
  );
  // It may have been quicker than the signal; then it is whole.
  if (left.length > 0) assert.equal((await cli(['db', 'restore', join(target, 'b.aab'), '--verify', '--passphrase-file', passphrase])).exit, 0);
});

test('a dry run says what would be applied and applies nothing', async () => {
  const given = { database: 'dry.db' };
  const pending = JSON.parse((await cli(['db', 'migrate', '--dry-run'], given)).said).data.pending;
  assert.ok(pending.includes('0001-init'));
  assert.deepEqual(JSON.parse((await cli(['db', 'migrate'], given)).said).data.applied, pending);
});
