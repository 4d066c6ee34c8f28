/**
 * `npm run dev:resource`: the protected tasks API on http://localhost:4001. API_KEY and SERVER_ID say who it is, TASKS_FILE where the tasks are.
 */
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { findApiKey } from './api-key.ts';
import { authServerUrl, resourcePort } from './surroundings.ts';
import { tasksApi } from './tasks-api.ts';
import { openTasks } from './tasks-store.ts';

const { SERVER_ID = 'srv_tasks', TASKS_FILE = join('.auth-agent', 'tasks.db') } = process.env;

try {
  const key = await findApiKey(authServerUrl, SERVER_ID);
  mkdirSync(dirname(TASKS_FILE), { recursive: true, mode: 0o700 });
  const store = openTasks(TASKS_FILE);
  const server = createServer(tasksApi(store, { serverId: SERVER_ID, apiKey: key.secret, authServerUrl }));
  server.once('error', (error) => {
    const message = `Port ${resourcePort} cannot be used: ${error.message}. RESOURCE_PORT names another.`;
    void key.release().then(() => fail(message));
  });
  server.listen(resourcePort, 'localhost', () => {
    console.log(`Tasks API on http://localhost:${resourcePort}, guarded by ${authServerUrl}`);
    console.log('Next, in another terminal: npm run dev:agent');
  });

  const stop = async () => {
    server.close();
    server.closeIdleConnections();
    await key.release();
    store.close();
    process.exit();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}

function fail(message: string): void {
  console.error(message);
  process.exit(1);
}
