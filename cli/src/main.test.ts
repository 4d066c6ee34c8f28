/**
 * The binary as a process: signals, exit codes, streams. Few and real; what commands do is in run.test.ts.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-bin-'));
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});
const main = new URL('./main.ts', import.meta.url).pathname;
const env = { PATH: process.env.PATH, LANG: 'C.UTF-8', AUTH_AGENT_ISSUER: 'https://auth.example.com', AUTH_AGENT_SECRET: randomBytes(32).toString('base64') };

function binary(...words: string[]): ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream } {
  const child = spawn(process.execPath, ['--conditions=aa-source', main, ...words], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}
async function firstLine(child: { stdout: NodeJS.ReadableStream }, wanted: RegExp): Promise<string> {
  for await (const line of createInterface({ input: child.stdout })) if (wanted.test(line)) return line;
  throw new Error(`no line like ${wanted}`);
}

test('dev on another address than loopback is exit 2 with the reason and the alternative', async () => {
  const child = binary('dev', '--host', '0.0.0.0');
  const [[code], said] = await Promise.all([once(child, 'exit'), text(child.stderr)]);

  assert.equal(code, 2);
  assert.equal(
    said,
    `✗ fail  Development mode cannot listen on 0.0.0.0
  Why   It accepts testuser/testpass and unauthenticated POST /api/servers.
  Fix   Other device on your network?  auth-agent start, with an https issuer
        Phone on the same desk?        adb reverse tcp:9000 tcp:9000   (or ssh -L)
`,
  );
});

test('an old Node is told by name, before it meets an import that it does not know', async () => {
  const old = 'data:text/javascript,Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })';
  const child = spawn(process.execPath, ['--import', old, '--conditions=aa-source', main, 'dev', '--help'], { cwd: folder, env });
  const [[code], said] = await Promise.all([once(child, 'exit'), text(child.stderr)]);

  assert.equal(code, 6);
  assert.match(said, /^✗ fail {2}Node 20\.20\.2 is too old for auth-agent\n {2}Fix {3}Install Node 24/);
});

test('dev says where it is, answers there, and ends cleanly at Ctrl-C', async () => {
  const child = binary('dev', '--port', '0', '--ephemeral', '--json');
  const { data } = JSON.parse(await firstLine(child, /^\{/));

  const health = await fetch(`${data.issuer}/health`);
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');

  assert.deepEqual([data.state, health.status, code], ['ready', 200, 0]);
});

test('start logs one JSON object per line, prints the setup link beside the log, and ends cleanly', async () => {
  const child = binary('start', '--port', '0');
  const said = text(child.stderr);
  const ready = JSON.parse(await firstLine(child, /server\.ready/));

  const health = await fetch(`${ready.url}/health/ready`);
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');

  assert.deepEqual([health.status, code], [200, 0]);
  assert.match(await said, /https:\/\/auth\.example\.com\/setup\?token=st_/);
});

test('start without what it needs is exit 2, with what is unsafe exit 6', async () => {
  const [[missing], [unsafe]] = await Promise.all([
    once(spawn(process.execPath, ['--conditions=aa-source', main, 'start'], { cwd: folder, env: { PATH: env.PATH } }), 'exit'),
    once(spawn(process.execPath, ['--conditions=aa-source', main, 'start', '--issuer', 'http://auth.example.com'], { cwd: folder, env }), 'exit'),
  ]);

  assert.deepEqual([missing, unsafe], [2, 6]);
});
