/**
 * An MCP server with four tools over a folder, on the official SDK and Hono. The three lines that protect it are marked; everything else is what you would
 * write without them. `files:read` lets a request in, writing and deleting ask for more.
 */
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { authAgentMiddleware } from 'auth-agent-mcp-sdk';
import { Hono } from 'hono';
import { z } from 'zod';
import type { Folder } from './folder.ts';

export type FilesServerOptions = { folder: Folder; serverId: string; apiKey: string; authServerUrl?: string; resource?: string };

export function filesServer({ folder, serverId, apiKey, authServerUrl, resource }: FilesServerOptions): Hono {
  const mcp = createMcpHandler(() => tools(folder));
  const app = new Hono();

  // The three lines.
  const toolScopes = { write_file: ['files:write'], delete_file: ['files:delete'] };
  app.use('*', authAgentMiddleware({ serverId, apiKey, authServerUrl, resource, requiredScopes: ['files:read'], toolScopes, scopeHierarchy: { 'files:write': ['files:read'] } }));
  app.all('/mcp', (c) => mcp.fetch(c.req.raw));

  // Ordinary routes are guarded too, and know who asks.
  app.get('/api/files', async (c) => c.json({ files: await folder.list(), user_email: c.get('user').email }));
  return app;
}

function tools(folder: Folder): McpServer {
  const server = new McpServer({ name: 'files', version: '0.1.0' });
  const name = z.string().describe('File name, e.g. notes.txt');
  const say = (text: string) => ({ content: [{ type: 'text' as const, text }] });

  server.registerTool('list_files', { description: 'List the files', annotations: { readOnlyHint: true } }, async () => say((await folder.list()).join('\n')));
  server.registerTool('read_file', { description: 'Read one file', inputSchema: z.object({ name }), annotations: { readOnlyHint: true } }, async (input) => say(await folder.read(input.name)));
  server.registerTool('write_file', { description: 'Create or replace a file', inputSchema: z.object({ name, text: z.string() }) }, async (input) => {
    await folder.write(input.name, input.text);
    return say(`Wrote ${input.name}`);
  });
  server.registerTool('delete_file', { description: 'Delete a file', inputSchema: z.object({ name }), annotations: { destructiveHint: true } }, async (input) => {
    await folder.remove(input.name);
    return say(`Deleted ${input.name}`);
  });
  return server;
}
