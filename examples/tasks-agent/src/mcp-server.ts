/**
 * An MCP server on stdio whose tools work on the tasks API. It acts as itself, mcp-task-manager, with client credentials: whoever starts it is its user, and the
 * assistant that calls the tools sees no token. Nothing may be printed on stdout but the protocol.
 */
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { agentTokens } from 'auth-agent-mcp-sdk/agent';
import { z } from 'zod';
import { machine, tasksUrl } from './surroundings.ts';
import { tasksClient } from './tasks-client.ts';
import { statuses } from './tasks-store.ts';

const tasks = tasksClient(agentTokens(machine('mcp-task-manager', 'mcp-secret-12345', 'tasks:read tasks:write')), tasksUrl);

const id = z.string().describe('Id of the task, e.g. task-1');
const status = z.enum(statuses);

serveStdio(() => {
  const server = new McpServer({ name: 'tasks', version: '0.1.0' });
  const say = (value: unknown) => ({ content: [{ type: 'text' as const, text: JSON.stringify(value, undefined, 2) }] });

  const list = { description: 'List tasks, newest first', inputSchema: z.object({ status: status.optional() }), annotations: { readOnlyHint: true } };
  server.registerTool('list_tasks', list, async (input) => say(await tasks.list(input.status)));

  const get = { description: 'Read one task', inputSchema: z.object({ id }), annotations: { readOnlyHint: true } };
  server.registerTool('get_task', get, async (input) => say(await tasks.get(input.id)));

  const create = { description: 'Create a task', inputSchema: z.object({ title: z.string(), description: z.string().optional() }) };
  server.registerTool('create_task', create, async (input) => say(await tasks.create(input)));

  const update = {
    description: 'Change a task: its status, title or description',
    inputSchema: z.object({ id, status: status.optional(), title: z.string().optional(), description: z.string().optional() }),
    annotations: { idempotentHint: true },
  };
  server.registerTool('update_task', update, async ({ id, ...changes }) => say(await tasks.update(id, changes)));
  return server;
});
