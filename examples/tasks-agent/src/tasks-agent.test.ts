/** The example does what its README and the learning guide say: each program as a reader starts it, on free ports, with files of its own. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { findApiKey } from './api-key.ts';
import { openTasks, type Task } from './tasks-store.ts';

const run = promisify(execFile);
const flag = '--conditions=aa-source';
const program = (name: string) => new URL(`./${name}.ts`, import.meta.url).pathname;

describe('the four programs', () => {
  let folder = '';
  let env: Record<string, string> = {};
  const running = new Map<string, ChildProcess>();

  /** Starts one of the servers; resolves when it says where it is. */
  async function start(name: string): Promise<void> {
    const child = spawn(process.execPath, [flag, program(name)], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
    running.set(name, child);
    for await (const line of createInterface({ input: child.stdout })) if (line.includes('http://localhost:')) return void child.stdout.resume();
    throw new Error(`${name} ended`);
  }

  async function stop(name: string): Promise<void> {
    const child = running.get(name);
    running.delete(name);
    if (!child) return;
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }

  const agent = async () => (await run(process.execPath, [flag, program('agent')], { env: { ...process.env, ...env } })).stdout;
  const url = (path: string) => `http://localhost:${env['RESOURCE_PORT']}${path}`;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tasks-agent-'));
    const [authPort, resourcePort] = await freePorts();
    env = { AUTH_PORT: `${authPort}`, RESOURCE_PORT: `${resourcePort}`, AUTH_FILE: join(folder, 'auth.db'), TASKS_FILE: join(folder, 'tasks.db') };
    await start('auth');
    await start('resource');
  });
  after(async () => {
    for (const name of ['resource', 'auth']) await stop(name);
    await rm(folder, { recursive: true });
  });

  test('the agent prints six ✓ lines, again and again', async () => {
    const titles = ['Authenticate with OAuth', 'Get user information', 'List tasks', 'Create a new task', 'Update task status', 'Get task summary'];

    for (const _time of [1, 2]) {
      const lines = (await agent()).trimEnd().split('\n');
      assert.deepEqual(
        lines.map((line) => line.split(':')[0]),
        titles.map((title) => `✓ ${title}`),
      );
    }
  });

  test('the requests of the document are answered as it says', async () => {
    const body = { grant_type: 'client_credentials', client_id: 'mcp-task-manager', client_secret: 'mcp-secret-12345', scope: 'tasks:read tasks:write' };
    const json = { 'Content-Type': 'application/json' };
    const issued = await fetch(`http://localhost:${env['AUTH_PORT']}/oauth/token`, { method: 'POST', headers: json, body: JSON.stringify(body) });
    const { access_token: token, ...rest } = (await issued.json()) as { access_token: string };
    assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 3600, scope: 'tasks:read tasks:write' });
    const headers = { ...json, Authorization: `Bearer ${token}` };
    const call = async (method: string, path: string, sent?: object) => {
      const response = await fetch(url(path), { method, headers, ...(sent && { body: JSON.stringify(sent) }) });
      return { status: response.status, body: (await response.json()) as { tasks?: Task[]; task?: Task } };
    };

    const listed = await call('GET', '/api/tasks');
    const created = await call('POST', '/api/tasks', { title: 'Test task from curl', description: 'Testing OAuth API' });
    const updated = await call('PUT', '/api/tasks/task-1', { status: 'completed' });
    const stranger = await fetch(url('/api/tasks'));

    assert.ok(listed.body.tasks?.some(({ id }) => id === 'task-1'));
    assert.deepEqual([created.status, created.body.task?.title, created.body.task?.createdBy], [201, 'Test task from curl', 'mcp-task-manager']);
    assert.deepEqual([updated.status, updated.body.task?.status], [200, 'completed']);
    assert.equal(stranger.status, 401);
    assert.match(stranger.headers.get('www-authenticate') ?? '', /^Bearer realm="srv_tasks", resource_metadata="http:/);
    assert.equal((await call('GET', '/api/user')).status, 403, 'user:read was not asked for');
  });

  test('the MCP server offers four tools and acts as itself', async (t) => {
    const client = new Client({ name: 'test', version: '0.1.0' });
    const transport = new StdioClientTransport({ command: process.execPath, args: [flag, program('mcp-server')], env, stderr: 'inherit' });
    await client.connect(transport);
    t.after(() => client.close());
    const call = async (name: string, input: Record<string, unknown> = {}) => {
      const { content, isError } = await client.callTool({ name, arguments: input });
      const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('');
      return isError ? text : (JSON.parse(text) as Task & Task[]);
    };

    const names = (await client.listTools()).tools.map(({ name }) => name).sort();
    const { id, createdBy } = (await call('create_task', { title: 'From an assistant' })) as Task;
    await call('update_task', { id, status: 'in_progress' });

    assert.deepEqual(names, ['create_task', 'get_task', 'list_tasks', 'update_task']);
    assert.equal(createdBy, 'mcp-task-manager');
    assert.equal(((await call('get_task', { id })) as Task).status, 'in_progress');
    assert.deepEqual(
      ((await call('list_tasks', { status: 'in_progress' })) as Task[]).map((task) => task.id),
      [id],
    );
    assert.match((await call('get_task', { id: '../user' })) as string, /404: There is no such task/);
  });

  test('a restart of both servers keeps the tasks, and the agent goes on', async () => {
    const earlier = /✓ List tasks: (.*)/.exec(await agent())?.[1] ?? '';

    for (const name of ['resource', 'auth']) await stop(name);
    for (const name of ['auth', 'resource']) await start(name);
    const later = /✓ List tasks: (.*)/.exec(await agent())?.[1] ?? '';

    assert.match(earlier, /task-1$/);
    assert.ok(later.endsWith(earlier), `${later} ends with ${earlier}`);
  });

  test('a hostile body is refused and changes nothing', async () => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'mcp-task-manager', client_secret: 'mcp-secret-12345' });
    const issued = await fetch(`http://localhost:${env['AUTH_PORT']}/token`, { method: 'POST', body });
    const { access_token: token } = (await issued.json()) as { access_token: string };
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
    const before = await (await fetch(url('/api/tasks'), { headers })).text();

    for (const wrong of [
      '',
      '[]',
      '{"title":',
      '{"title":""}',
      '{"title":1}',
      '{"title":"a","createdBy":"b"}',
      `{"title":"${'a'.repeat(201)}"}`,
      'a'.repeat(20_000),
    ]) {
      const { status } = await fetch(url('/api/tasks'), { method: 'POST', headers, body: wrong });
      assert.ok(status === 400 || status === 413, `${status} for ${wrong.slice(0, 40)}`);
    }

    assert.equal(await (await fetch(url('/api/tasks'), { headers })).text(), before);
  });
});

test('a program that is started in the wrong order says what to start', async () => {
  const [port] = await freePorts();

  await assert.rejects(findApiKey(`http://localhost:${port}`, 'srv_tasks', undefined), /npm run dev:auth/);
  assert.equal((await findApiKey(`http://localhost:${port}`, 'srv_tasks', 'sk_given')).secret, 'sk_given');
});

test('an id that is none finds nothing', () => {
  const store = openTasks(':memory:');

  for (const id of ['', '1', 'task-', 'task-0', 'task-01', 'task-1 or 1=1', 'task--1', 'task-1e3', 'task-99999999999999999999']) {
    assert.equal(store.find(id), undefined, id);
    assert.equal(store.change(id, { status: 'completed' }), undefined, id);
  }
  assert.equal(store.find('task-1')?.status, 'pending');
});

/** Two ports of this computer that nobody listens on. */
async function freePorts(): Promise<number[]> {
  const probes = [createServer(), createServer()].map((probe) => probe.listen(0, 'localhost'));
  await Promise.all(probes.map((probe) => once(probe, 'listening')));
  const ports = probes.map((probe) => (probe.address() as { port: number }).port);
  await Promise.all(
    probes.map((probe) => {
      probe.close();
      return once(probe, 'close');
    }),
  );
  return ports;
}
