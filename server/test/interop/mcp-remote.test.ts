/**
 * mcp-remote from npm, unmodified, as hosts without OAuth run it: a stdio bridge to the example MCP server, guarded by development mode. The person's browser
 * is driven headlessly from the address that mcp-remote prints. Installed by `npm ci --prefix conformance`.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { filesServer } from '../../../examples/typescript-server/src/files-server.ts';
import { openFolder } from '../../../examples/typescript-server/src/folder.ts';
import { freePort, startProgram } from '../../../tools/documents/program.ts';
import { pythonMissing } from '../../../tools/python-environment.ts';
import { startDevelopment, startNode } from '../../src/runtimes/node.ts';
import { decideDevice, signInAndDecide } from '../browser.ts';

const installed = new URL('../../../conformance/node_modules/', import.meta.url).pathname;
const bridge = join(installed, 'mcp-remote', 'dist', 'proxy.js');
const skip = !existsSync(bridge) && 'mcp-remote is not installed: npm ci --prefix conformance';
const quiet = { info() {}, warn() {}, error: console.error };
const testuser = { username: 'testuser', password: 'testpass', decision: 'allow' } as const;
const timeout = 90_000;

test('mcp-remote registers, signs a person in, bridges tools to a host that knows stdio only, and needs nobody the next time', {
  skip,
  timeout,
}, async (t) => {
  const { url, home } = await openGuardedFiles(t);

  const first = await openBridge(t, { url, home });
  const { tools } = await first.client.listTools();
  const listed = await first.client.callTool({ name: 'list_files', arguments: {} });
  await first.client.close();
  const second = await openBridge(t, { url, home });
  const again = await second.client.listTools();

  assert.deepEqual(tools.map(({ name }) => name).sort(), ['delete_file', 'list_files', 'read_file', 'write_file']);
  assert.notEqual(listed.isError, true);
  assert.equal(first.visits.length, 1, 'one sign-in');
  const [visit = new URL('about:blank')] = first.visits;
  assert.deepEqual([visit.searchParams.get('scope'), visit.searchParams.get('resource')], ['files:read', url.href]);
  assert.match(visit.searchParams.get('redirect_uri') ?? '', /^http:\/\/localhost:\d+\/oauth\/callback$/);
  assert.equal(again.tools.length, tools.length);
  assert.deepEqual(second.visits, [], 'the kept tokens were enough');
});

test('[RT-01] mcp-remote renews an access token the server no longer knows, without the person', { skip, timeout }, async (t) => {
  const { url, home, revoke } = await openGuardedFiles(t);
  const first = await openBridge(t, { url, home });
  await first.client.close();
  const before = await keptTokens(home);

  await revoke(before.access_token);
  const second = await openBridge(t, { url, home });
  const { tools } = await second.client.listTools();
  const after = await keptTokens(home);

  assert.equal(tools.length, 4);
  assert.deepEqual(second.visits, []);
  assert.notEqual(after.access_token, before.access_token);
  assert.notEqual(after.refresh_token, before.refresh_token);
});

test('mcp-remote takes a 403 to the person and makes the call again with what was allowed', { skip, timeout }, async (t) => {
  const { url, home } = await openGuardedFiles(t);
  const { client, visits } = await openBridge(t, { url, home });

  const written = await client.callTool({ name: 'write_file', arguments: { name: 'note.txt', text: 'Hello!' } });

  assert.deepEqual(written.content, [{ type: 'text', text: 'Wrote note.txt' }]);
  assert.deepEqual(
    visits.map((visit) => visit.searchParams.get('scope')),
    ['files:read', 'files:read files:write'],
  );
});

test('[DEV-01] mcp-remote --device-code registers for that grant alone, shows the address, and bridges once somebody has allowed it', {
  skip,
  timeout,
}, async (t) => {
  const { url, home } = await openGuardedFiles(t);

  const { client, visits } = await openBridge(t, { url, home, more: ['--device-code'] });
  const { tools } = await client.listTools();

  assert.equal(tools.length, 4);
  assert.deepEqual(
    visits.map(({ pathname, searchParams }) => [pathname, /^[B-Z]{4}-[B-Z]{4}$/.test(searchParams.get('user_code') ?? '')]),
    [['/device', true]],
  );
});

for (const transport of ['http', 'sse'])
  test(`mcp-remote bridges to the Python server of the examples on ${transport}`, { skip: skip || pythonMissing(), timeout }, async (t) => {
    const { url, home } = await openPythonNotes(t, transport);

    const { client, visits } = await openBridge(t, { url, home, transport });
    const { tools } = await client.listTools();
    const profile = await client.callTool({ name: 'get_user_profile', arguments: {} });

    assert.deepEqual(tools.map(({ name }) => name).sort(), ['create_secure_note', 'get_api_usage', 'get_user_profile', 'list_secure_notes']);
    assert.notEqual(profile.isError, true);
    assert.match(JSON.stringify(profile.content), /testuser@example\.com/);
    assert.deepEqual(
      visits.map((visit) => visit.searchParams.get('scope')),
      ['mcp:read'],
    );
  });

type Bridge = { client: Client; visits: URL[] };
type Started = { url: URL; home: string; transport?: string; more?: string[] };

/** Starts mcp-remote as a host does and connects through it; whoever it sends to a browser signs in and allows everything. */
async function openBridge(t: TestContext, { url, home, transport: kind = 'http', more = [] }: Started): Promise<Bridge> {
  const visits: URL[] = [];
  // Its opener asks BROWSER where there is no desktop: `true` opens nothing, and the address is on stderr.
  const env = { PATH: process.env.PATH ?? '', HOME: home, MCP_REMOTE_CONFIG_DIR: home, BROWSER: 'true' };
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [bridge, url.href, '--transport', `${kind}-only`, ...more],
    env,
    stderr: 'pipe',
  });
  const client = new Client({ name: 'a host without OAuth', version: '0.1.0' });
  t.after(() => client.close());
  let said = '';
  let failed: ((reason: unknown) => void) | undefined;
  const personFailed = new Promise<never>((_, reject) => {
    failed = reject;
  });
  transport.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    const addresses = said.match(/(?<=^|\s)http:\/\/localhost:\d+\/(?:authorize|device)\?\S+(?=\s)/gm) ?? [];
    for (const address of addresses.slice(visits.length)) {
      visits.push(new URL(address));
      visit(new URL(address)).catch(failed);
    }
  });
  try {
    await Promise.race([client.connect(transport), personFailed]);
  } catch (error) {
    throw new Error(`mcp-remote did not connect; it said:\n${said}`, { cause: error });
  }
  return { client, visits };
}

async function visit(address: URL): Promise<void> {
  const code = address.searchParams.get('user_code');
  if (code === null) await fetch(await signInAndDecide(address.href, testuser));
  else await decideDevice(address.href, code, testuser);
}

/** Development mode, and the example MCP server registered with it; `home` is where mcp-remote keeps its files. */
async function openGuardedFiles(t: TestContext) {
  const home = await mkdtemp(join(tmpdir(), 'mcp-remote-'));
  t.after(() => rm(home, { recursive: true }));
  const authServer = await startDevelopment({ port: 0, ephemeral: true, log: quiet });
  t.after(() => authServer.stop());
  let handler: (request: Request) => Response | Promise<Response> = () => new Response(null, { status: 503 });
  const listening = await startNode({ port: 0, host: 'localhost', log: quiet, fetch: (request) => handler(request) });
  t.after(() => listening.stop());
  const url = new URL('/mcp', listening.url);
  const facts = { server_url: url.href, server_name: 'Files', scopes: ['files:read', 'files:write', 'files:delete'] };
  const { server_id: serverId = '' } = await post('/api/servers', facts);
  const { key_secret: apiKey = '' } = await post(`/api/servers/${serverId}/keys`, { name: 'bridge' });
  handler = filesServer(await openFolder(join(home, 'files')), { serverId, apiKey, authServerUrl: authServer.issuer, cacheTtl: 0 }).fetch;

  async function post(path: string, body: object): Promise<Record<string, string>> {
    const response = await fetch(authServer.issuer + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    return (await response.json()) as Record<string, string>;
  }
  async function revoke(token: string): Promise<void> {
    const response = await fetch(`${authServer.issuer}/revoke`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${apiKey}` },
      body: new URLSearchParams({ token }),
    });
    assert.equal(response.status, 200);
  }
  return { url, home, revoke };
}

/** Development mode, and `oauth_protected_server.py` guarded by it, started as its document says. */
async function openPythonNotes(t: TestContext, transport: string): Promise<{ url: URL; home: string }> {
  const home = await mkdtemp(join(tmpdir(), 'mcp-remote-'));
  t.after(() => rm(home, { recursive: true }));
  const authServer = await startDevelopment({ port: 0, ephemeral: true, log: quiet });
  t.after(() => authServer.stop());
  const port = await freePort();
  const options = `--transport ${transport} --port ${port} --auth-server ${authServer.issuer} --data-file ${join(home, 'notes.db')}`;
  const program = startProgram(`uv run python examples/mcp-servers/oauth_protected_server.py ${options}`, { patienceSeconds: 60 });
  t.after(() => {
    program.stop();
    return program.ends();
  });
  await program.says(/http:\/\/localhost:\d+\/mcp/);
  const url = new URL(`http://localhost:${port}/mcp`);
  return { url, home };
}

async function keptTokens(home: string): Promise<{ access_token: string; refresh_token: string }> {
  const name = (await readdir(home, { recursive: true })).find((one) => one.endsWith('_tokens.json')) ?? '';
  return JSON.parse(await readFile(join(home, name), 'utf8'));
}
