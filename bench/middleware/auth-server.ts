/** The authorization server that the guards of the benchmark ask: development mode in memory, a key, and a token of a machine. Says what it has when ready. */
import { startDevelopment } from '../../server/src/runtimes/node.ts';

/** What both languages are given. */
export type Facts = { issuer: string; serverId: string; apiKey: string; token: string };

const serverId = 'srv_tasks';
const running = await startDevelopment({ port: 0, ephemeral: true, log: { info() {}, warn() {}, error: console.error } });
const json = { 'Content-Type': 'application/json' };
const credentials = { client_id: 'mcp-task-manager', client_secret: 'mcp-secret-12345' };

const key = await answer('/api/servers/srv_tasks/keys', { headers: json, body: JSON.stringify({ name: 'benchmark' }) });
const tokens = await answer('/token', { body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'tasks:read tasks:write', ...credentials }) });
const facts: Facts = { issuer: running.issuer, serverId, apiKey: key['key_secret'] ?? '', token: tokens['access_token'] ?? '' };
process.on('disconnect', () => process.exit());
process.send?.(facts);

async function answer(path: string, init: RequestInit): Promise<Record<string, string>> {
  const response = await fetch(running.issuer + path, { method: 'POST', ...init });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Record<string, string>;
}
