/** Servers that keep the official `requireBearerAuth` and give it our verifier: both generations of the SDK, called by official clients. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { requireBearerAuth as requireBearerAuthV1 } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { McpServer as V1McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpHandler, McpServer, requireBearerAuth } from '@modelcontextprotocol/server';
import { mcpTokenVerifier } from 'auth-agent-mcp-sdk/mcp';
import { mcpTokenVerifier as mcpTokenVerifierV1 } from 'auth-agent-mcp-sdk/mcp-v1';
import { all, openAgent } from './agents.ts';
import { openStand, type PlainOptions } from './stand.ts';

/** The little of Express 5 that is used here; its types are not installed. */
type App = RequestListener & { use(handler: unknown): void; all(path: string, ...handlers: unknown[]): void };
const express = createRequire(import.meta.url)('express') as (() => App) & { json(): unknown };
type AuthInfo = { clientId: string; scopes: string[]; resource?: URL; extra?: Record<string, unknown> };

/** What a tool can know of its caller. */
function whoCalls(authInfo: AuthInfo | undefined) {
  const user = authInfo?.extra?.user as { email?: string } | undefined;
  const text = JSON.stringify({ scopes: authInfo?.scopes, resource: authInfo?.resource, email: user?.email });
  return { content: [{ type: 'text' as const, text }] };
}

/** As the documentation of v2 shows it: a gate in front of the handler. */
function v2Server(options: PlainOptions, { href: resource }: URL) {
  const verifier = mcpTokenVerifier(options);
  const gate = requireBearerAuth({
    verifier,
    requiredScopes: ['files:read'],
    resourceMetadataUrl: verifier.resourceMetadataUrl,
    expectedResource: new URL(resource),
  });
  const mcp = createMcpHandler(({ authInfo }) => {
    const server = new McpServer({ name: 'who', version: '0.1.0' });
    server.registerTool('who_am_i', {}, () => whoCalls(authInfo));
    return server;
  });
  return async (request: Request) => {
    const auth = await gate(request);
    return auth instanceof Response ? auth : mcp.fetch(request, { authInfo: auth });
  };
}

/** As the documentation of v1 shows it: Express, a stateless transport for each request. */
function v1App(options: PlainOptions, expectedResource: URL): App {
  const verifier = mcpTokenVerifierV1(options);
  const { resourceMetadataUrl } = verifier;
  const app = express();
  app.use(express.json());
  app.all('/mcp', requireBearerAuthV1({ verifier, requiredScopes: ['files:read'], resourceMetadataUrl, expectedResource }), serveV1);
  return app;
}

async function serveV1(request: IncomingMessage & { body: unknown }, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST') return void response.writeHead(405).end();
  const server = new V1McpServer({ name: 'who', version: '0.1.0' });
  server.registerTool('who_am_i', {}, ({ authInfo }) => whoCalls(authInfo));
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  await server.connect(transport);
  await transport.handleRequest(request, response, request.body);
}

for (const name of all) {
  describe(name, () => {
    test('[RS-21] [RS-22] it calls a server of SDK v2 behind requireBearerAuth', async (t) => {
      const stand = await openStand(t);
      const { url, row } = await stand.serve('/mcp', v2Server);
      const agent = openAgent(name, { url, visit: stand.allow });
      t.after(agent.close);

      await agent.connect();
      const caller = JSON.parse(await agent.call('who_am_i'));

      assert.deepEqual(caller, { scopes: caller.scopes, resource: row.resource, email: 'ada@example.com' });
      assert.ok(caller.scopes.includes('files:read'));
    });

    test('[RS-21] [RS-22] it calls a server of SDK v1 behind requireBearerAuth on Express', async (t) => {
      const stand = await openStand(t);
      let app = express();
      const listener = createServer((request, response) => app(request, response)).listen(0, 'localhost');
      await new Promise((resolve) => listener.once('listening', resolve));
      t.after(() => listener.close());
      const url = new URL(`http://localhost:${(listener.address() as AddressInfo).port}/mcp`);
      app = v1App((await stand.register(url)).options, url);
      const agent = openAgent(name, { url, visit: stand.allow });
      t.after(agent.close);

      await agent.connect();
      const caller = JSON.parse(await agent.call('who_am_i'));

      assert.equal(caller.email, 'ada@example.com');
      assert.equal(caller.resource, url.href);
    });
  });
}
