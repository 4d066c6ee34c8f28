import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { connectHttp } from './connection.ts';
import { openSession } from './session.ts';
import { openStore, tokenKey } from './store.ts';

test('a server of the older SSE transport is spoken to with the kept token on every request', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'auth-agent-sse-'));
  const mcp = new McpServer({ name: 'sse', version: '0.1.0' });
  mcp.registerTool('hello', {}, async () => ({ content: [{ type: 'text', text: 'hi' }] }));
  const sent: (string | undefined)[] = [];
  let transport: SSEServerTransport | undefined;
  const server = createServer(async (request, response) => {
    sent.push(request.headers.authorization);
    if (request.method === 'POST' && transport) return transport.handlePostMessage(request, response);
    transport = new SSEServerTransport('/messages', response);
    await mcp.connect(transport);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/sse`);
  const store = openStore({ AUTH_AGENT_CLIENT_STORE: join(folder, 'c.json') });
  const place = { issuer: 'http://127.0.0.1:1', resource: url.href };
  await store.change((kept) => {
    kept.places[url.href] = place;
    kept.tokens[tokenKey(place)] = { accessToken: 'kept' };
  });
  const never = async () => assert.fail('asked');
  const session = openSession(url, { store, openReception: never, mayAsk: false, tell: () => {}, now: () => 1 });

  try {
    const connection = await connectHttp(url, session, { kind: 'sse' });
    const { tools } = await connection.use((client, options) => client.listTools(undefined, options));
    await connection.close();

    assert.deepEqual(
      tools.map(({ name }) => name),
      ['hello'],
    );
    assert.deepEqual([...new Set(sent)], ['Bearer kept']);
  } finally {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  }
});
