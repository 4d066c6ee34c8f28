/**
 * The command line on Bun, as docs/runtimes.md starts it: a database is migrated, a server starts, answers and stops. Run by `npm run runtimes`.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const root = new URL('../../', import.meta.url).pathname;
const bun = join(root, 'tools/runtimes/node_modules/.bin/bun');
const folder = mkdtempSync(join(tmpdir(), 'auth-agent-bun-'));
after(() => rmSync(folder, { recursive: true }));

const env = {
  PATH: process.env.PATH,
  AUTH_AGENT_ISSUER: 'https://auth.example.com',
  AUTH_AGENT_SECRET: '8Xq2vT7mRk4LzC9wPn3bYh6JdFs1GaEu5oQi0KtMxV',
  AUTH_AGENT_DATABASE_URL: `sqlite:${join(folder, 'auth-agent.db')}`,
};
const words = (...more: string[]) => ['--conditions=aa-source', join(root, 'cli/src/main.ts'), ...more];
const cli = (...more: string[]) => execFileSync(bun, words(...more), { env, cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

test('commands work on a database under Bun', () => {
  cli('db', 'migrate');
  const { url } = JSON.parse(cli('setup-link', '--json')).data;

  assert.match(url, /^https:\/\/auth\.example\.com\/setup\?token=st_/);
  assert.match(cli('db', 'status', '--json'), /"ok":true/);
});

test('a server starts under Bun, answers, and ends in order when it is told to', async () => {
  const server = spawn(bun, words('start', '--port', '0', '--drain-seconds', '0'), { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  after(() => server.kill('SIGKILL'));
  let said = '';
  const started = new Promise<string>((resolve, reject) => {
    for (const stream of [server.stdout, server.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        const address = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
        if (address) resolve(address);
      });
    }
    server.once('exit', () => reject(new Error(said)));
  });
  const address = await started;

  assert.equal((await fetch(`${address}/health/ready`)).status, 200);
  const metadata = (await (await fetch(`${address}/.well-known/oauth-authorization-server`)).json()) as { issuer: string };
  assert.equal(metadata.issuer, env.AUTH_AGENT_ISSUER);
  // Connections on which nothing was asked hold nothing up.
  const silent = connect(Number(new URL(address).port), '127.0.0.1').on('error', () => {});
  const begun = connect(Number(new URL(address).port), '127.0.0.1').on('error', () => {});
  await Promise.all([once(silent, 'connect'), once(begun, 'connect')]);
  begun.write('GET /health HTTP/1.1\r\nHost: localhost\r\n');
  const asked = Date.now();
  server.kill('SIGTERM');
  assert.deepEqual(await once(server, 'exit'), [0, null], said);
  for (const socket of [silent, begun]) socket.destroy();
  // Less than running requests would be given.
  assert.ok(Date.now() - asked < 9000, said);
});
