/**
 * The end of a real process: what a load balancer, a running request, an idle connection and an impatient operator see when it is told to stop.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { run } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-stop-'));
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});
const main = new URL('./main.ts', import.meta.url).pathname;
const env = { PATH: process.env.PATH, LANG: 'C.UTF-8', AUTH_AGENT_ISSUER: 'https://auth.example.com', AUTH_AGENT_SECRET: randomBytes(32).toString('base64') };

type Line = { event: string; url: string };

/** Begins to start the server; `line` resolves at the first line of its log about this event. */
function launch(name: string, ...flags: string[]) {
  const settings = { ...env, AUTH_AGENT_DATABASE_URL: `sqlite:${join(folder, name)}.db` };
  const child = spawn(process.execPath, ['--conditions=aa-source', main, 'start', '--port', '0', ...flags], {
    cwd: folder,
    env: settings,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  const lines: Line[] = [];
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (text) => lines.push(JSON.parse(text) as Line));
  async function line(event: string): Promise<Line> {
    for (;;) {
      const found = lines.find((one) => one.event === event);
      if (found) return found;
      await once(reader, 'line');
    }
  }
  return { child, line, lines, exited };
}

async function start(name: string, ...flags: string[]) {
  const launched = launch(name, ...flags);
  const { url } = await launched.line('server.ready');
  return { ...launched, url, port: Number(new URL(url).port) };
}

/** Sends the beginning of a request whose body is still to come; it is under way once the server has asked for the body. */
async function halfRequest(port: number): Promise<{ socket: Socket; finish(): Promise<string> }> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('utf8').on('data', (text) => {
    received += String(text);
  });
  socket.on('error', () => {});
  socket.write('POST /token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\nContent-Length: 18\r\n\r\n');
  while (!received.includes('100 Continue')) await once(socket, 'data');
  return {
    socket,
    async finish() {
      const closed = once(socket, 'close');
      socket.write('grant_type=nothing');
      await closed;
      return received;
    },
  };
}

test('SIGTERM: not ready first, then no new connections, the running request is finished and told that it was the last, exit 0', async () => {
  const server = await start('finishes', '--drain-seconds', '1');
  const running = await halfRequest(server.port);
  const idle = connect(server.port, '127.0.0.1');
  await once(idle, 'connect');
  const idleEnded = once(idle, 'close');

  server.child.kill('SIGTERM');
  await server.line('server.stopping');
  const ready = await fetch(`${server.url}/readyz`);
  const alive = await fetch(`${server.url}/health`);
  await idleEnded;
  await assert.rejects(fetch(`${server.url}/health`));
  const answer = await running.finish();
  const [code, signal] = await server.exited;

  assert.deepEqual([ready.status, ready.headers.get('retry-after'), ready.headers.get('connection')], [503, '5', 'close']);
  assert.deepEqual([alive.status, alive.headers.get('connection')], [200, 'close']);
  assert.match(answer, /HTTP\/1\.1 400 .*\r\nConnection: close\r\n.*unsupported_grant_type/s);
  assert.deepEqual([code, signal], [0, null]);
  assert.equal(server.lines.at(-1)?.event, 'server.stopped');
});

test('a request that does not end is cut off after finishSeconds, exit 0', async () => {
  const server = await start('cut-off', '--drain-seconds', '0', '--finish-seconds', '0');
  const running = await halfRequest(server.port);
  const closed = once(running.socket, 'close');

  server.child.kill('SIGTERM');
  await closed;

  assert.deepEqual(await server.exited, [0, null]);
});

test('a second signal ends the process at once', async () => {
  const server = await start('at-once', '--drain-seconds', '60');
  await halfRequest(server.port);

  server.child.kill('SIGTERM');
  await server.line('server.stopping');
  server.child.kill('SIGTERM');

  assert.deepEqual(await server.exited, [130, null]);
});

test('a signal during the start is kept: what was begun is stopped cleanly, exit 0', async () => {
  const server = launch('early', '--drain-seconds', '0');
  await server.line('database.migrated');

  server.child.kill('SIGTERM');

  assert.deepEqual(await server.exited, [0, null]);
  assert.equal(server.lines.at(-1)?.event, 'server.stopped');
});

test('a start that fails after it listens stops what it started: a failure that is printed does not go on serving', async () => {
  let said = '';
  const out: string[] = [];
  const terminal = {
    env: { ...env, AUTH_AGENT_DATABASE_URL: `sqlite:${join(folder, 'fails.db')}`, AUTH_AGENT_PORT: '0', AUTH_AGENT_LOG_FORMAT: 'json' },
    stdin: Readable.from([]),
    stdout: { write: (text: string) => out.push(text) },
    stderr: {
      write(text: string) {
        if (text.includes('There is no operator yet')) throw new Error('the terminal is gone');
        said += text;
      },
    },
    untilStopped: () => new Promise<never>(() => {}),
  };

  const exit = await run(['start'], terminal);

  const lines = out.map((text) => JSON.parse(text) as Line);
  const ready = lines.find(({ event }) => event === 'server.ready');
  await assert.rejects(fetch(`${ready?.url}/health`), TypeError);
  assert.deepEqual([exit, lines.at(-1)?.event], [1, 'server.stopped']);
  assert.match(said, /the terminal is gone/);
});

test('a log that nobody reads any more, or whose disk is full, does not end the server', {
  skip: process.platform !== 'linux' && '/dev/full is Linux',
}, async () => {
  const { child, url, exited } = await start('unread');
  child.stdout.destroy();
  for (let asked = 0; asked < 3; asked++) assert.equal((await fetch(`${url}/token`, { method: 'POST' })).status, 400);
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);

  const full = openSync('/dev/full', 'w');
  const port = await freePort();
  const unwritten = spawn(process.execPath, ['--conditions=aa-source', main, 'start', '--port', String(port)], {
    cwd: folder,
    env: { ...env, AUTH_AGENT_DATABASE_URL: `sqlite:${join(folder, 'unwritten.db')}` },
    stdio: ['ignore', full, 'pipe'],
  });
  children.push(unwritten);
  let said = '';
  for await (const text of unwritten.stderr ?? []) {
    said += String(text);
    if (said.includes('There is no operator yet')) break;
  }
  assert.equal(said.match(/The log cannot be written \(ENOSPC\); the server goes on/g)?.length, 1);
  assert.equal((await fetch(`http://127.0.0.1:${port}/token`, { method: 'POST' })).status, 400);
});

test('a command whose output has no place has failed and says so; one whose reader has enough ends quietly', {
  skip: process.platform !== 'linux' && '/dev/full is Linux',
}, async () => {
  for (const [place, said] of [
    [openSync('/dev/full', 'w'), /^The output cannot be written: ENOSPC/],
    ['pipe', /^$/],
  ] as const) {
    const child = spawn(process.execPath, ['--conditions=aa-source', main, '--help'], { cwd: folder, env, stdio: ['ignore', place, 'pipe'] });
    child.stdout?.destroy();
    const exited = once(child, 'exit');
    let told = '';
    for await (const text of child.stderr ?? []) told += String(text);
    assert.match(told, said);
    assert.deepEqual(await exited, [1, null]);
  }
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
