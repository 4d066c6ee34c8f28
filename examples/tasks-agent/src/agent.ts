/**
 * `npm run dev:agent`: an AI agent that works on tasks by itself, without a person (client credentials, RFC 6749 §4.4). Six steps, a line for each.
 */
import { agentTokens } from 'auth-agent-mcp-sdk/agent';
import { machine, tasksUrl } from './surroundings.ts';
import { tasksClient } from './tasks-client.ts';
import { statuses } from './tasks-store.ts';

const tokens = agentTokens(machine('ai-agent-assistant', 'agent-secret-67890', 'tasks:read tasks:write user:read'));
const tasks = tasksClient(tokens, tasksUrl);
let created = '';

/** What each step does, and what it has to say about it. */
const steps: [title: string, act: () => Promise<string>][] = [
  ['Authenticate with OAuth', async () => `a token of ${(await tokens.token()).length} characters`],
  ['Get user information', async () => told(await tasks.user())],
  ['List tasks', async () => (await tasks.list()).map(({ id }) => id).join(', ')],
  [
    'Create a new task',
    async () => {
      const task = await tasks.create({ title: 'Summarise the week', description: 'Made by an agent' });
      created = task.id;
      return `${task.id}, ${task.title}`;
    },
  ],
  ['Update task status', async () => `${created} is ${(await tasks.update(created, { status: 'completed' })).status}`],
  ['Get task summary', async () => summary(await tasks.list())],
];

for (const [title, act] of steps) {
  try {
    console.log(`✓ ${title}: ${await act()}`);
  } catch (error) {
    console.error(`✗ ${title}: ${error instanceof Error ? error.message : error}`);
    console.error('Both servers must run: npm run dev:auth and npm run dev:resource');
    process.exit(1);
  }
}

function told({ id, scopes }: { id: string; scopes: string[] }): string {
  return `${id}, may ${scopes.join(' ')}`;
}

function summary(all: { status: string }[]): string {
  return statuses.map((status) => `${all.filter((task) => task.status === status).length} ${status}`).join(', ');
}
