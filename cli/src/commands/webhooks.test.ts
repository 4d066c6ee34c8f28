/**
 * Webhooks as an operator sees them: added with a secret that is shown once, tested, replayed, removed, and what is refused. Deliveries: server/test/flows/webhooks.test.ts.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { run } from '../run.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-webhooks-'));
const file = join(folder, 'live.db');
const secret = randomBytes(32).toString('base64');
let status = 204;
const types: string[] = [];
const receiver = createServer(async (request, response) => {
  let body = '';
  for await (const piece of request) body += piece;
  types.push(JSON.parse(body).type);
  response.writeHead(status).end();
});
let url = '';

async function cli(...words: string[]) {
  const out: string[] = [];
  const exit = await run([...words, '--json'], {
    env: { AUTH_AGENT_DATABASE_URL: `sqlite:${file}`, AUTH_AGENT_ISSUER: 'https://auth.example.com', AUTH_AGENT_SECRET: secret },
    stdin: Object.assign(Readable.from([]), { isTTY: false }),
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: () => true },
    untilStopped: async () => 'SIGINT' as const,
  });
  const { data, error } = JSON.parse(out.join(''));
  return { exit, data, error };
}

before(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  assert.equal((await cli('db', 'migrate')).exit, 0);
});
after(() => {
  receiver.close();
  rmSync(folder, { recursive: true });
});

test('[OPS-06] a webhook is added with a secret that is shown once, tested, listed and removed', async () => {
  const { exit, data } = await cli('webhooks', 'add', url, '--private-network', '--event', 'grant.revoked', '--event', 'code.replayed');
  assert.equal(exit, 0);
  assert.match(data.secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.equal(readFileSync(file).includes(data.secret.slice(6)), false);
  assert.equal(readFileSync(`${file}-wal`, { flag: 'a+' }).includes(data.secret.slice(6)), false);

  const [listed] = (await cli('webhooks', 'list')).data.webhooks;
  assert.deepEqual(
    [listed.id, listed.url, listed.events, listed.state, 'secret' in listed],
    [data.id, url, ['grant.revoked', 'code.replayed'], 'active', false],
  );
  assert.equal((await cli('webhooks', 'test', data.id)).data.answer, '204');
  assert.deepEqual(types, ['webhook.tested']);
  status = 500;
  assert.match((await cli('webhooks', 'test', data.id)).error.message, /answers: 500/);
  assert.deepEqual((await cli('webhooks', 'deliveries', data.id)).data.deliveries, []);
  assert.equal((await cli('webhooks', 'replay', data.id)).data.replayed, 0);
  assert.equal((await cli('webhooks', 'enable', data.id)).data.enabled, false);
  assert.equal((await cli('webhooks', 'rm', data.id, '--yes')).exit, 0);
  assert.deepEqual((await cli('webhooks', 'list')).data.webhooks, []);
});

test('[OPS-06] what cannot be meant is refused with what was meant', async () => {
  for (const [words, what] of [
    [['http://siem.example.com/hook', '--all'], /https/],
    [['http://127.0.0.1/hook', '--all'], /https/],
    [['ftp://siem.example.com/', '--all', '--private-network'], /https/],
    [['https://user:pw@siem.example.com/', '--all'], /no user/],
    [['nonsense', '--all'], /Where is it/],
    [['https://siem.example.com/'], /--event, or --all/],
    [['https://siem.example.com/', '--all', '--event', 'grant.revoked'], /--event, or --all/],
    [['https://siem.example.com/', '--event', 'grant.revokd'], /grant\.revokd/],
  ] as [string[], RegExp][]) {
    const { exit, error } = await cli('webhooks', 'add', ...words);
    assert.equal(exit, 2, words.join(' '));
    assert.match(error.message, what);
  }
  for (const command of ['test', 'deliveries', 'replay', 'enable', 'rm']) assert.equal((await cli('webhooks', command, 'wh_unknown')).exit, 4, command);
  assert.deepEqual((await cli('webhooks', 'list')).data.webhooks, []);
});

test('[OPS-06] an address in a private network is refused at the moment it is spoken to', async () => {
  const { data } = await cli('webhooks', 'add', 'https://127.0.0.1:1/hook', '--all');

  assert.equal((await cli('webhooks', 'test', data.id)).exit, 6);
});
