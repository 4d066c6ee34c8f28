/**
 * The whole story in one run: an authorization server, this MCP server, an agent and a person. Prints what happened, line by line, and fails at the first
 * thing that is not as it should be. Nothing is mocked; everything listens on free ports of this computer and is gone afterwards.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { startDevelopment } from 'auth-agent-mcp-server/node';
import { openAgent } from './agent.ts';
import { filesServer } from './files-server.ts';
import { openFolder } from './folder.ts';
import { openPerson } from './person.ts';

const quiet = { info() {}, warn: console.error, error: console.error };
let lines = 0;
const tell = (text: string) => console.log(`${String(++lines).padStart(2)} ✓ ${text}`);

const authServer = await startDevelopment({ port: 0, ephemeral: true, log: quiet });
tell(`the authorization server runs in development mode at ${authServer.issuer}`);

// The address comes first: the authorization server must know it before the app can be made.
let app: { fetch(request: Request): Response | Promise<Response> };
// The agent lives in this process too, and its own `Response` must stay what it is.
const listener = serve({ fetch: (request) => app.fetch(request), port: 0, hostname: 'localhost', overrideGlobalObjects: false });
await new Promise((resolve) => listener.once('listening', resolve));
const mcpUrl = new URL(`http://localhost:${(listener.address() as AddressInfo).port}/mcp`);
const path = await mkdtemp(join(tmpdir(), 'files-'));

try {
  const { server_id: serverId } = await post('/api/servers', {
    server_url: mcpUrl.href,
    server_name: 'My files',
    scopes: ['files:read', 'files:write', 'files:delete'],
  });
  const { key_id: keyId, key_secret: apiKey } = await post(`/api/servers/${serverId}/keys`, { name: 'check' });
  tell(`it knows this MCP server as ${serverId}, with the key ${keyId}`);

  // Good answers about tokens are remembered for 30 seconds at most; here not at all, so that the end needs no waiting.
  app = filesServer(await openFolder(path), { serverId, apiKey, authServerUrl: authServer.issuer, cacheTtl: 0 });
  tell(`the MCP server runs at ${mcpUrl}`);

  const person = openPerson('testuser', 'testpass');
  const agent = openAgent(mcpUrl, person);
  await agent.connect();
  const steps = agent.takeLog();
  for (const step of ['POST /mcp 401', 'GET /.well-known/oauth-authorization-server 200', 'POST /register 201', 'POST /token 200', 'POST /mcp 200'])
    assert.ok(steps.includes(step), `${step} is not among ${steps.join(', ')}`);
  assert.deepEqual(agent.lastAsked(), ['files:read']);
  tell('an agent that knows only that address was told 401, found the metadata and registered itself;');
  tell('the person signed in and allowed files:read, and the agent is connected');

  assert.equal(await agent.call('list_files'), '');
  tell('it lists the files: none yet');

  agent.takeLog();
  assert.equal(await agent.call('write_file', { name: 'hello.txt', text: 'Hello!' }), 'Wrote hello.txt');
  assert.ok(agent.takeLog().includes('POST /mcp 403'));
  assert.deepEqual(agent.lastAsked(), ['files:write']);
  tell('to write it was told 403; the person was asked for files:write only, and the file is written');

  assert.equal(await agent.call('read_file', { name: 'hello.txt' }), 'Hello!');
  tell('it reads the file: Hello!');

  agent.takeLog();
  assert.equal(await agent.call('delete_file', { name: 'hello.txt' }), 'Deleted hello.txt');
  assert.ok(agent.takeLog().includes('POST /mcp 403'));
  assert.deepEqual(agent.lastAsked(), ['files:delete']);
  tell('to delete it was told 403; the person was asked for files:delete only, and the file is gone');

  const api = new URL('/api/files', mcpUrl);
  const headers = { Authorization: `Bearer ${await agent.accessToken()}` };
  assert.deepEqual(await (await fetch(api, { headers })).json(), { files: [], user_email: 'testuser@example.com' });
  tell('an ordinary route knows whose agent it is: testuser@example.com');

  await person.disconnect(authServer.issuer);
  const refused = await fetch(api, { headers });
  assert.equal(refused.status, 401);
  assert.match(refused.headers.get('www-authenticate') ?? '', /^Bearer .*error="invalid_token"/);
  tell('the person disconnected the agent, and its next call is told 401');
  await agent.close();
} finally {
  listener.close();
  await authServer.stop();
  await rm(path, { recursive: true });
}

/** What an owner does once, with curl or on the command line. Development mode needs no owner token. */
async function post(route: string, body: object): Promise<Record<string, string> & { server_id: string; key_id: string; key_secret: string }> {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(authServer.issuer + route, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal(response.status, 201, await response.clone().text());
  return response.json();
}
