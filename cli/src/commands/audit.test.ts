/**
 * The record as an operator reads it: list, export, verify, and what the commands refuse. What the chain proves: server/src/audit/chain.test.ts.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { openDatabase } from 'auth-agent-mcp-server/node';
import { run } from '../run.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-audit-'));
after(() => rmSync(folder, { recursive: true }));
const url = `sqlite:${join(folder, 'live.db')}`;
let secret = randomBytes(32).toString('base64');

async function cli(...words: string[]): Promise<{ exit: number; out: string; said: string }> {
  const [out, said]: [string[], string[]] = [[], []];
  const exit = await run(words, {
    env: { AUTH_AGENT_DATABASE_URL: url, AUTH_AGENT_ISSUER: 'https://auth.example.com', AUTH_AGENT_SECRET: secret, TERM: 'dumb' },
    stdin: Object.assign(Readable.from(['correct horse battery\n']), { isTTY: false }),
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => said.push(text) },
    untilStopped: async () => 'SIGINT' as const,
  });
  return { exit, out: out.join(''), said: said.join('') };
}

before(async () => {
  await cli('db', 'migrate');
  await cli('users', 'add', 'ada', '--email', 'ada@example.com', '--password-stdin');
  await cli('users', 'disable', 'ada');
  await cli('signing-keys', 'rotate', '--now');
});

test('[OPS-01] a list is filtered by person, kind and time, and says what was mistyped', async () => {
  const types = async (...flags: string[]) =>
    JSON.parse((await cli('audit', 'list', '--json', ...flags)).out).data.events.map(({ type }: { type: string }) => type);

  assert.deepEqual(await types('--user', 'ada'), ['user.disabled', 'user.added']);
  assert.deepEqual(await types('--user', 'ada', '--limit', '1'), ['user.disabled']);
  assert.deepEqual(await types('--type', 'user.added', '--since', '2020-01-01', '--before', '2999-01-01T00:00:00Z'), ['user.added']);
  assert.deepEqual(await types('--since', '2999-01-01'), []);
  assert.match((await cli('audit', 'list')).out, /^WHEN.*\n.*signing_key\.added +cli/);
  assert.match((await cli('audit', 'list', '--type', 'user.aded')).said, /Did you mean user\.added/);
  for (const wrong of [
    ['--since', 'yesterday'],
    ['--limit', '0'],
    ['--since', '2026-13-40'],
  ])
    assert.equal((await cli('audit', 'list', ...wrong)).exit, 2, wrong.join(' '));
});

test('[OPS-01] an export is a line of JSON for each event, the oldest first, with its place and no secret', async () => {
  await cli('audit', 'verify');
  const { out, exit } = await cli('audit', 'export');
  const events = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

  assert.equal(exit, 0);
  assert.equal(events[0].type, 'user.added');
  assert.deepEqual(
    events.map(({ seq }) => seq),
    events.map((_, index) => index + 1),
  );
  assert.doesNotMatch(out, /correct horse|salt|BEGIN/);
  assert.equal((await cli('audit', 'export', '--json')).exit, 2);
});

test('[OPS-01] adopting a record whose end is of this secret asks nothing and records nothing', async () => {
  const { checkpoint } = JSON.parse((await cli('audit', 'verify', '--json')).out).data;

  const { exit, out, said } = await cli('audit', 'adopt');

  assert.equal(exit, 0, said);
  assert.match(out, /signed with this secret already/);
  assert.equal(JSON.parse((await cli('audit', 'verify', '--json')).out).data.checkpoint, checkpoint);
});

test('[OPS-01] after a change of the secret the record is refused until somebody adopts it', async () => {
  const { checkpoint } = JSON.parse((await cli('audit', 'verify', '--json')).out).data;
  const driver = await openDatabase(url);
  await driver.write([{ text: 'delete from signing_keys', values: [] }]);
  await driver.close();
  secret = randomBytes(32).toString('base64');

  assert.match((await cli('audit', 'verify')).said, /not written by a server with this secret[\s\S]*auth-agent audit adopt/);
  assert.deepEqual([(await cli('audit', 'adopt')).exit, (await cli('audit', 'verify')).exit], [2, 1]);
  const { out } = await cli('audit', 'adopt', '--yes', '--json');
  assert.equal(JSON.parse(out).data.adopted, checkpoint);
  assert.equal((await cli('audit', 'verify', '--checkpoint', checkpoint)).exit, 0);
});

test('[OPS-01] verifying prints a checkpoint, and ends with 1 at the first event that was changed', async () => {
  const { checkpoint } = JSON.parse((await cli('audit', 'verify', '--json')).out).data;
  assert.equal((await cli('audit', 'verify', '--checkpoint', checkpoint)).exit, 0);
  assert.equal((await cli('audit', 'verify', '--checkpoint', 'nonsense')).exit, 2);
  const database = await openDatabase(url);
  for (const text of ['drop trigger audit_events_rewritten', "update audit_events set actor = 'nobody' where seq = 2"])
    await database.write([{ text, values: [] }]);
  await database.close();
  const { exit, said } = await cli('audit', 'verify');

  assert.equal(exit, 1);
  assert.match(said, /Event 2 \(evt_\w+.*\): the event, or its place, is not what was sealed/);
});
