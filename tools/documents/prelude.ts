/**
 * What the snippets of the documents take for granted: the reader's own app, key and MCP server. A snippet that uses one of these names without declaring it
 * gets it from here (documents.test.ts puts a copy beside the snippets of each document).
 */
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { Hono } from 'hono';

export { authAgentMiddleware } from 'auth-agent-mcp-sdk';

export const app = new Hono();
export const apiKey = 'sk_xyz789';
export const options = { serverId: 'srv_abc123', apiKey };
export const mcp = createMcpHandler(() => new McpServer({ name: 'files', version: '0.1.0' }));
