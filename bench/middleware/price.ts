/**
 * Times the TypeScript middleware: the same Hono app bare, guarded with its memory of tokens, and guarded without. One request at a time, in process, so that
 * nothing but the guard is between two figures. Reads AUTH_SERVER, SERVER_ID, API_KEY, TOKEN and REPETITIONS; prints one JSON document. price.py is its twin.
 */
import { type AuthAgentOptions, authAgentMiddleware } from 'auth-agent-mcp-sdk';
import { Hono } from 'hono';
import type { Figures, Timed } from './report.ts';

const { AUTH_SERVER, SERVER_ID = '', API_KEY = '', TOKEN = '', REPETITIONS = '9' } = process.env;
const options: AuthAgentOptions = { serverId: SERVER_ID, apiKey: API_KEY, authServerUrl: AUTH_SERVER, requiredScopes: ['tasks:read'] };
const guards = {
  bare: undefined,
  cached: authAgentMiddleware({ ...options, toolScopes: { create_task: ['tasks:write'] } }),
  uncached: authAgentMiddleware({ ...options, cacheTtl: 0, toolScopes: { create_task: ['tasks:write'] } }),
};
type Guarding = keyof typeof guards;

const headers = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' };
const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'create_task', arguments: { title: 'Write' } } });
const requests = {
  'GET a route': () => new Request('http://localhost:4001/api/tasks', { headers }),
  'POST tools/call': () => new Request('http://localhost:4001/mcp', { method: 'POST', headers, body: call }),
};

const apps = Object.fromEntries(Object.keys(guards).map((guarding) => [guarding, appWith(guarding as Guarding)]));
const figures: Figures = { runtime: `Node ${process.versions.node}, Hono`, requests: {} };
for (const [name, make] of Object.entries(requests)) {
  const timed: Record<string, Timed[]> = { bare: [], cached: [], uncached: [] };
  for (const guarding of Object.keys(guards)) await time(guarding, make, guarding === 'uncached' ? 500 : 30_000);
  for (let repetition = 0; repetition < Number(REPETITIONS); repetition++)
    for (const [guarding, runs] of Object.entries(timed)) runs.push(await time(guarding, make, guarding === 'uncached' ? 300 : 10_000));
  figures.requests[name] = timed;
}
console.log(JSON.stringify(figures));
process.exit();

function appWith(guarding: Guarding): Hono {
  const app = new Hono();
  const guard = guards[guarding];
  if (guard) app.use('*', guard);
  app.get('/api/tasks', (c) => c.json({ tasks: [] }));
  app.post('/mcp', async (c) => c.json({ jsonrpc: '2.0', id: (await c.req.json()).id, result: { content: [] } }));
  return app;
}

async function time(guarding: string, make: () => Request, count: number): Promise<Timed> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  for (let index = 0; index < count; index++) {
    const response = await (apps[guarding] as Hono).fetch(make());
    if (response.status !== 200) throw new Error(`${guarding} answered ${response.status}: ${await response.text()}`);
    await response.text();
  }
  const elapsed = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  return { micros: (elapsed * 1000) / count, cpuMicros: (user + system) / count };
}
