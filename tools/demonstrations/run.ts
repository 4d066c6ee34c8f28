/**
 * `npm run demonstrations`: everything the documents of this project's beginning let people run, from a fresh clone (demonstrations/clone.ts) and with the
 * commands they print. The numbers are those of docs/compatibility.md. What each program does in detail is tested beside it; here they meet as they are used.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { openBrowser } from '../../server/test/browser.ts';
import type { Program } from '../documents/program.ts';
import { tokenFor } from '../documents/token.ts';
import { type Clone, openClone } from './clone.ts';

const uv = spawnSync('uv', ['--version']).error ? 'uv is not installed: pip install uv' : false;
const python = { skip: uv };
/** uv makes its environment in the clone when it is first used. */
const first = { patienceSeconds: 300 };

let clone: Clone;
before(async () => {
  clone = await openClone();
});
after(() => clone?.remove());

describe('000, 001, 002: a guarded server of files', () => {
  let authorizationServer: Program;
  before(async () => {
    authorizationServer = clone.start('npm start', { env: { AUTH_AGENT_PORT: clone.here('PORT=9000').slice(5) } });
    await authorizationServer.says(/Ctrl-C to stop/);
  });
  after(() => end(authorizationServer));

  test('examples/typescript-server guards with scopes, and agents step up', async () => {
    assert.match(await clone.run('npm run check -w examples/typescript-server'), /11 ✓ /);
  });

  test('./test-oauth-flow.sh prints six numbered lines, and ends with status 1 where nobody listens', async () => {
    const printed = await clone.run('AUTH_AGENT_URL=http://localhost:9000 ./test-oauth-flow.sh');

    assert.deepEqual(
      printed.match(/^\d ✓/gm),
      [1, 2, 3, 4, 5, 6].map((number) => `${number} ✓`),
    );
    await assert.rejects(clone.run('AUTH_AGENT_URL=http://localhost:1 ./test-oauth-flow.sh'), /1 ✗ Nobody answers/);
  });

  test('examples/filesystem-server is registered, gets a key, and guards with scopes and step-up', python, async () => {
    const issuer = clone.here('http://localhost:9000');
    const files = clone.here('http://localhost:8000');
    const { server_id: id } = await post(`${issuer}/api/servers`, { server_url: files, server_name: 'My MCP Server', scopes: ['files:read', 'files:write'] });
    const { key_secret: key } = await post(`${issuer}/api/servers/${id}/keys`, { name: 'Production Key', expires_in: 31_536_000 });
    const env = { SERVER_ID: id, API_KEY: key, AUTH_AGENT_URL: issuer, PORT: new URL(files).port };
    using server = clone.start('uv run python examples/filesystem-server/main.py', { env, ...first });
    await server.says(/http:\/\/localhost:\d+/);
    await answers(`${files}/health`);
    const headers = { Authorization: `Bearer ${await tokenFor(issuer, files, 'files:read')}`, 'Content-Type': 'application/json' };

    const stranger = await fetch(`${files}/api/files`);
    const listed = await fetch(`${files}/api/files`, { headers });
    const refused = await fetch(`${files}/api/files`, { method: 'POST', headers, body: JSON.stringify({ name: 'a.txt', text: 'Hello!' }) });

    assert.equal(stranger.status, 401);
    assert.match(stranger.headers.get('www-authenticate') ?? '', new RegExp(`^Bearer realm="${id}", resource_metadata="`));
    assert.deepEqual([listed.status, ((await listed.json()) as { user_email: string }).user_email], [200, 'testuser@example.com']);
    assert.equal(refused.status, 403);
    assert.match(refused.headers.get('www-authenticate') ?? '', /error="insufficient_scope", scope="files:read files:write", resource_metadata="/);
    await end(server);
  });
});

describe('003: a protected MCP server and an interactive client', python, () => {
  let launcher: Program;
  before(async () => {
    launcher = clone.start('uv run python examples/mcp-servers/oauth_auth_server.py --port 9000 --host localhost', first);
    await launcher.says(/Ctrl-C to stop/);
  });
  after(() => end(launcher));

  test('the launcher is the authorization server, and its login page answers the address of the guide', async () => {
    const issuer = clone.here('http://localhost:9000');
    const asked = 'client_id=mcp-test-client&redirect_uri=http://localhost:3000/callback&response_type=code&scope=mcp:read&code_challenge=test';

    const metadata = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json();
    const login = await fetch(`${issuer}/oauth/authorize?${asked}&code_challenge_method=S256`);
    const client = { client_id: 'mcp-task-manager', client_secret: 'mcp-secret-12345' };
    const { access_token: token = '' } = await post(`${issuer}/oauth/token`, { grant_type: 'client_credentials', ...client });
    const introspected = await fetch(`${issuer}/oauth/introspect`, { method: 'POST', body: new URLSearchParams({ token }) });

    assert.equal((metadata as { issuer: string }).issuer, issuer);
    assert.match(await login.text(), /name="password"/);
    assert.equal(((await introspected.json()) as { active: boolean }).active, true);
  });

  for (const transport of ['http', 'sse'])
    test(`the protected server on ${transport} tells a stranger where to sign in`, async () => {
      using server = clone.start(
        `uv run python examples/mcp-servers/oauth_protected_server.py --transport ${transport} --port 8001 --auth-server http://localhost:9000`,
        first,
      );
      const address = clone.here('http://localhost:8001');
      await server.says(/http:\/\/localhost:\d+\/mcp/);
      await answers(`${address}/mcp`);

      const stranger = await fetch(`${address}/mcp`);
      const document = await (await fetch(`${address}/.well-known/oauth-protected-resource/mcp`)).json();

      assert.equal(stranger.status, 401);
      assert.match(stranger.headers.get('www-authenticate') ?? '', /resource_metadata="/);
      assert.deepEqual((document as { resource: string }).resource, `${address}/mcp`);
      await end(server);
    });

  test('the client connects with examples/mcp_config.json, the person pastes the code, and the four tools and two resources answer', async () => {
    using shell = clone.start('npm run --silent cli -- shell --config examples/mcp_config.json --no-browser', { types: true, patienceSeconds: 60 });
    let heard = 0;
    /** Types a line; answers the first of what is printed then that fits. */
    const call = async (line: string, wanted: RegExp) => {
      shell.type(line);
      const fits = new RegExp(String.raw`^[\s\S]{${heard}}[\s\S]*?(${wanted.source})`);
      const printed = await shell.says(fits);
      heard = printed.length;
      return fits.exec(printed)?.[1] ?? '';
    };

    const address = await call('/mcp connect oauth-protected', /http:\/\/localhost:\d+\/\S*authorize\?\S+scope=mcp%3Aread\+mcp%3Awrite/);
    shell.type(await copiedCode(address));
    await call('/mcp tools oauth-protected', /get_user_profile[\s\S]*create_secure_note[\s\S]*list_secure_notes[\s\S]*get_api_usage/);
    const profile = await call('/mcp call oauth-protected get_user_profile', /\{[^{}]*"user_id"[^{}]*\}/);
    const note = await call('/mcp call oauth-protected create_secure_note {"title": "Test", "content": "Hello World"}', /note_\d+/);
    await call('/mcp call oauth-protected list_secure_notes', /Hello World/);
    await call('/mcp call oauth-protected get_api_usage', /quota_remaining/);
    await call('/mcp resources oauth-protected', /user:\/\/profile/);
    const read = await call(`/mcp read oauth-protected user://notes/${note}`, /Hello World/);
    shell.type('/exit');
    await shell.ends();

    assert.deepEqual(Object.keys(JSON.parse(profile)), ['user_id', 'email', 'name', 'created_at', 'last_login', 'permissions']);
    assert.deepEqual((JSON.parse(profile) as { permissions: string[] }).permissions, ['mcp:read', 'mcp:write']);
    assert.ok(read);
  });

  test('uv run pytest tests/test_oauth_servers.py -v passes, with both classes', async () => {
    const printed = await clone.run('uv run pytest tests/test_oauth_servers.py -v', { patienceSeconds: 300 });

    for (const name of ['TestOAuthAuthServer', 'TestOAuthProtectedMCPServer'])
      assert.match(printed, new RegExp(`tests/test_oauth_servers.py::${name}::\\S+ PASSED`));
    assert.match(printed, /= \d+ passed in /);
  });
});

describe('004: tasks for machines', () => {
  const running = new DisposableStack();
  const env: Record<string, string> = {};
  before(async () => {
    Object.assign(env, { AUTH_PORT: clone.here('PORT=4000').slice(5), RESOURCE_PORT: clone.here('PORT=4001').slice(5) });
    await running.use(clone.start('npm run dev:auth', { env })).says(/npm run dev:resource/);
    await running.use(clone.start('npm run dev:resource', { env })).says(/npm run dev:agent/);
  });
  after(() => running.dispose());

  test('npm run dev:agent prints six ✓ lines', async () => {
    const printed = await clone.run('npm run dev:agent', { env });

    assert.deepEqual(
      printed.match(/^✓ [^:]+/gm),
      ['Authenticate with OAuth', 'Get user information', 'List tasks', 'Create a new task', 'Update task status', 'Get task summary'].map(
        (line) => `✓ ${line}`,
      ),
    );
  });

  test('the tasks API answers as printed: a token lists, creates and updates, a stranger gets 401', async () => {
    const body = { grant_type: 'client_credentials', client_id: 'mcp-task-manager', client_secret: 'mcp-secret-12345', scope: 'tasks:read tasks:write' };
    const { access_token: token } = await post(clone.here('http://localhost:4000/oauth/token'), body);
    const tasks = clone.here('http://localhost:4001/api/tasks');
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
    const statusOf = async (path: string, method: string, sent?: object) =>
      (await fetch(tasks + path, { method, headers, ...(sent && { body: JSON.stringify(sent) }) })).status;

    assert.equal(await statusOf('', 'GET'), 200);
    assert.equal(await statusOf('', 'POST', { title: 'Test task from curl', description: 'Testing OAuth API' }), 201);
    assert.equal(await statusOf('/task-1', 'PUT', { status: 'completed' }), 200);
    assert.equal((await fetch(tasks)).status, 401);
  });

  test('the MCP server has its four tools and acts with client credentials', async () => {
    const program = `${clone.folder}/examples/tasks-agent/src/mcp-server.ts`;
    const client = new Client({ name: 'a host', version: '0.1.0' });
    await client.connect(new StdioClientTransport({ command: process.execPath, args: ['--conditions=aa-source', program], env, stderr: 'inherit' }));

    const { tools } = await client.listTools();
    const { isError } = await client.callTool({ name: 'get_task', arguments: { id: 'task-1' } });
    await client.close();

    assert.deepEqual(tools.map(({ name }) => name).sort(), ['create_task', 'get_task', 'list_tasks', 'update_task']);
    assert.notEqual(isError, true);
  });
});

/** What a person does with the page that shows the code: sign in, allow, read. */
async function copiedCode(address: string): Promise<string> {
  const browser = openBrowser(fetch, new URL(address).origin);
  let page = await browser.submit(await browser.open(address), { username: 'testuser', password: 'testpass' });
  page = await browser.submit(page, {}, 'allow');
  if (page.refresh !== undefined) page = await browser.open(page.refresh);
  return /ac_[A-Za-z0-9_-]+/.exec(page.html)?.[0] ?? '';
}

async function post(url: string, body: object): Promise<Record<string, string>> {
  const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  return (await response.json()) as Record<string, string>;
}

/** A program may say where it is a moment before it listens. */
async function answers(url: string): Promise<void> {
  for (const until = Date.now() + 20_000; Date.now() < until; ) if (await fetch(url).then(Boolean, () => false)) return;
  throw new Error(`nobody answers at ${url}`);
}

async function end(program: Program | undefined): Promise<void> {
  program?.stop();
  await program?.ends();
}
