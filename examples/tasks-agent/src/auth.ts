/**
 * `npm run dev:auth`: the authorization server in development mode on http://localhost:4000, with the demo clients of this example. Everything else about it is
 * in the package; this is how to embed it.
 */
import { join } from 'node:path';
import { nodeLog, StartRefused, startDevelopment } from 'auth-agent-mcp-server/node';
import { authPort } from './surroundings.ts';

const dataFile = process.env.AUTH_FILE ?? join('.auth-agent', 'tasks-auth.db');
try {
  const running = await startDevelopment({ port: authPort, dataFile, log: nodeLog({ format: 'pretty' }) });
  console.log(`Authorization server on ${running.issuer}, development mode`);
  console.log('Machine clients: mcp-task-manager, ai-agent-assistant. Next, in another terminal: npm run dev:resource');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void running.stop({ drainSeconds: 0 }));
} catch (error) {
  if (!(error instanceof StartRefused)) throw error;
  console.error(`${error.message}. AUTH_PORT names another port.`);
  process.exitCode = 1;
}
