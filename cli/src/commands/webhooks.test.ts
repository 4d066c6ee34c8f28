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
const signed: string[] = [];
const receiver = createServer(async (request, response) => {
  let body = '';
  for await (const piece of request) body += piece;
  types.push(JSON.parse(body).type);
  signed.push(String(request.headers['webhook-signature']));
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

test('[OPS-06] a secret is changed: both sign for a day, a third waits, and --now ends what leaked', async () => {
  const { data } = await cli('webhooks', 'add', url, '--private-network', '--all');
  status = 204;
  const signatures = async () => {
    assert.equal((await cli('webhooks', 'test', data.id)).exit, 0);
    return signed.at(-1)?.split(' ').length;
  };
  const begun = Date.now();
  const rotated = await cli('webhooks', 'rotate-secret', data.id);
  assert.equal(rotated.exit, 0);
  assert.match(rotated.data.secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.notEqual(rotated.data.secret, data.secret);
  const until = Date.parse(rotated.data.older_secret_expires_at) - begun;
  assert.ok(until > 86_390_000 && until < 86_500_000, String(until));
  assert.equal(await signatures(), 2);
  const [listed] = (await cli('webhooks', 'list')).data.webhooks;
  assert.deepEqual([listed.older_secret_expires_at, 'secret' in listed], [rotated.data.older_secret_expires_at, false]);

  const third = await cli('webhooks', 'rotate-secret', data.id, '--hours', '1');
  assert.equal(third.exit, 5);
  assert.match(third.error.message, /two secrets/);
  assert.equal((await cli('webhooks', 'rotate-secret', data.id, '--now')).exit, 0);
  assert.equal(await signatures(), 1);
  for (const words of [
    ['--hours', '0'],
    ['--hours', '721'],
    ['--hours', '1.5'],
    ['--hours', '2', '--now'],
  ])
    assert.equal((await cli('webhooks', 'rotate-secret', data.id, ...words)).exit, 2, words.join(' '));
  const events = (await cli('audit', 'list', '--type', 'webhook.secret_rotated')).data.events;
  assert.equal(events.length, 2);
  assert.equal(JSON.stringify(events).includes('whsec_'), false);
  assert.equal((await cli('webhooks', 'rm', data.id, '--yes')).exit, 0);
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
  const unknown = await cli('webhooks', 'add', 'https://siem.example.com/', '--event', 'nonsense');
  assert.match(unknown.error.fix, /^Name one of .*code\.replayed, .*user\.added/);
  for (const command of ['test', 'deliveries', 'replay', 'rotate-secret', 'enable', 'rm'])
    assert.equal((await cli('webhooks', command, 'wh_unknown')).exit, 4, command);
  assert.deepEqual((await cli('webhooks', 'list')).data.webhooks, []);
});

test('[OPS-06] an address in a private network is refused at the moment it is spoken to', async () => {
  const { data } = await cli('webhooks', 'add', 'https://127.0.0.1:1/hook', '--all');

  assert.equal((await cli('webhooks', 'test', data.id)).exit, 6);
});
