/**
 * An MCP server with four tools over a folder, on the official SDK and Hono. The three lines that protect it are marked; everything else is what you would
 * write without them. `files:read` lets a request in, writing and deleting ask for more.
 */
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { type AuthAgentOptions, authAgentMiddleware } from 'auth-agent-mcp-sdk';
import { Hono } from 'hono';
import { z } from 'zod';
import type { Folder } from './folder.ts';

/** `options` say who we are (`serverId`, `apiKey`) and whom we trust (`authServerUrl`); what the tools need is decided here. */
export function filesServer(folder: Folder, options: AuthAgentOptions): Hono {
  const mcp = createMcpHandler(() => tools(folder));
  const app = new Hono();

  // The three lines.
  const toolScopes = { write_file: ['files:write'], delete_file: ['files:delete'] };
  const scopeHierarchy = { 'files:write': ['files:read'] };
  app.use('*', authAgentMiddleware({ ...options, requiredScopes: ['files:read'], toolScopes, scopeHierarchy }));

  app.all('/mcp', (c) => mcp.fetch(c.req.raw));
  // Ordinary routes are guarded too, and know who asks.
  app.get('/api/files', async (c) => c.json({ files: await folder.list(), user_email: c.get('user').email }));
  return app;
}

function tools(folder: Folder): McpServer {
  const server = new McpServer({ name: 'files', version: '0.1.0' });
  const name = z.string().describe('File name, e.g. notes.txt');
  const say = (text: string) => ({ content: [{ type: 'text' as const, text }] });

  const list = { description: 'List the files', annotations: { readOnlyHint: true } };
  server.registerTool('list_files', list, async () => say((await folder.list()).join('\n')));

  const read = { description: 'Read one file', inputSchema: z.object({ name }), annotations: { readOnlyHint: true } };
  server.registerTool('read_file', read, async (input) => say(await folder.read(input.name)));

  const write = { description: 'Create or replace a file', inputSchema: z.object({ name, text: z.string() }) };
  server.registerTool('write_file', write, async (input) => {
    await folder.write(input.name, input.text);
    return say(`Wrote ${input.name}`);
  });

  const remove = { description: 'Delete a file', inputSchema: z.object({ name }), annotations: { destructiveHint: true } };
  server.registerTool('delete_file', remove, async (input) => {
    await folder.remove(input.name);
    return say(`Deleted ${input.name}`);
  });
  return server;
}
