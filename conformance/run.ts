/**
 * `npm run conformance`: the public MCP conformance suite against this server, without a person: a public client, a confidential client by each method, and a
 * tenant with a path issuer. A skipped check prints a tick and exits 0, so only what it wrote to checks.json counts: three entries, each SUCCESS. Then our own
 * client against the suite (client.ts).
 */
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { auditEvent } from '../server/src/audit/event.ts';
import type { Context } from '../server/src/context.ts';
import { hashPassword } from '../server/src/crypto/password.ts';
import { pinnedFetcher, startNode } from '../server/src/runtimes/node.ts';
import { createServer } from '../server/src/server.ts';
import { openNodeSqlite } from '../server/src/storage/drivers/node-sqlite.ts';
import { signInAndDecide } from '../server/test/browser.ts';
import { runClientSuites } from './client.ts';

type Profile = { name: string; tenant?: string; secret?: string; method: 'none' | 'client_secret_basic' | 'client_secret_post' };
type Check = { id: string; status: string; errorMessage?: string };

const profiles: Profile[] = [
  { name: 'public client', method: 'none' },
  { name: 'confidential client, client_secret_post', method: 'client_secret_post', secret: 'a-secret-of-the-conformance-run' },
  { name: 'confidential client, client_secret_basic', method: 'client_secret_basic', secret: 'a-secret-of-the-conformance-run' },
  { name: 'path issuer', method: 'none', tenant: 'acme' },
];
const expected = ['authorization-server-metadata', 'authorization-server-metadata-cimd', 'authorization-code-grant'];
const person = { username: 'ada', password: 'correct horse battery staple' };
const resource = 'https://mcp.example.com/mcp';
const clientId = 'client_conformance';

const here = new URL('.', import.meta.url).pathname;
const suite = join(here, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
if (!existsSync(suite)) {
  console.error('The conformance suite is not installed. Run: npm ci --prefix conformance');
  process.exit(1);
}

let passed = 0;
let failed = 0;
for (const profile of profiles) {
  const checks = await runProfile(profile);
  for (const problem of problemsOf(checks)) console.log(`✗ failed  ${profile.name}: ${problem}`);
  for (const { id, status } of checks) if (status === 'SUCCESS') console.log(`✓ passed  ${profile.name}: ${id}`);
  passed += checks.filter(({ id, status }) => status === 'SUCCESS' && expected.includes(id)).length;
  failed += problemsOf(checks).length;
}
const complete = passed === profiles.length * expected.length;
for (const { name, problem } of await runClientSuites(suite)) {
  console.log(problem === undefined ? `✓ passed  ${name}` : `✗ failed  ${name}: ${problem}`);
  if (problem === undefined) passed += 1;
  else failed += 1;
}
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || !complete) process.exitCode = 1;

async function runProfile(profile: Profile): Promise<Check[]> {
  const [port, callbackPort] = [await freePort(), await freePort()];
  const origin = `http://127.0.0.1:${port}`;
  const log = { info() {}, warn: console.error, error: console.error };
  const server = createServer({
    issuer: origin,
    secret: 'a secret of the conformance run only',
    driver: openNodeSqlite(':memory:'),
    fetchDocument: pinnedFetcher(),
    log,
  });
  await server.storage.migrate(server.options.now());
  if (profile.tenant) await server.storage.addTenant({ tenant: profile.tenant, name: 'Acme', createdAt: server.options.now() });
  const context = (await server.context(profile.tenant)) as Context;
  await seed(context, profile);

  const running = await startNode({
    fetch: async (request, connection) => withoutNone(await server.fetch(request, connection), profile),
    log,
    host: '127.0.0.1',
    port,
  });
  try {
    return await runSuite(context.issuer, callbackPort, profile);
  } finally {
    await running.stop({ drainSeconds: 0 });
    await server.storage.close();
  }
}

async function seed({ store, now, instance }: Context, { method, secret }: Profile): Promise<void> {
  const at = now();
  const event = (type: Parameters<typeof auditEvent>[0]) => auditEvent(type, at, 'conformance');
  await store.addUser(
    { id: 'usr_ada', username: person.username, role: 'user', createdAt: at, passwordHash: await hashPassword(person.password) },
    event('user.added'),
  );
  const files = {
    id: 'srv_files',
    ownerId: 'usr_ada',
    resource,
    serverUrl: resource,
    name: 'Files',
    scopes: [{ name: 'files:read' }],
    createdAt: at,
    updatedAt: at,
  };
  await store.addServer(files, event('server.added'));
  const metadata = {
    clientName: 'Conformance suite',
    redirectUris: ['http://127.0.0.1/callback'],
    grantTypes: ['authorization_code', 'refresh_token'],
    responseTypes: ['code'],
    tokenEndpointAuthMethod: method,
  };
  const secretHash = secret === undefined ? undefined : instance.mac('client-secret', clientId, secret);
  await store.addClient({ id: clientId, registration: 'manual', metadata, secretHash, createdAt: at, lastUsedAt: at }, event('client.registered'));
}

/** The suite never uses a secret while the metadata lists `none`, which ours must (documents need it): for its eyes only one method is listed. */
async function withoutNone(response: Response, { method }: Profile): Promise<Response> {
  if (method === 'none' || !response.headers.get('content-type')?.startsWith('application/json')) return response;
  const body = (await response.json()) as Record<string, unknown>;
  if (body.token_endpoint_auth_methods_supported) body.token_endpoint_auth_methods_supported = [method];
  return new Response(JSON.stringify(body), { status: response.status, headers: response.headers });
}

/** Runs the suite, is the person at the browser, and reads what it found. */
async function runSuite(issuer: string, callbackPort: number, { secret }: Profile): Promise<Check[]> {
  const output = mkdtempSync(join(tmpdir(), 'auth-agent-conformance-'));
  const given = ['authorization', '--url', issuer, '--client-id', clientId, '--resource', resource, '-p', String(callbackPort), '-o', output];
  const child = spawn(process.execPath, [suite, ...given, ...(secret ? ['--client-secret', secret] : [])], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      const url = /https?:\/\/\S+\/authorize\?\S+/.exec(line)?.[0];
      if (url) await fetch(await signInAndDecide(url, { ...person, decision: 'allow' }));
    }
    const files = globSync('*/checks.json', { cwd: output });
    return files.flatMap((file) => JSON.parse(readFileSync(join(output, file), 'utf8')) as Check[]);
  } catch (error) {
    console.error(lines.join('\n'));
    throw error;
  } finally {
    child.kill();
    rmSync(output, { recursive: true, force: true });
  }
}

function problemsOf(checks: Check[]): string[] {
  const missing = expected.filter((id) => !checks.some((check) => check.id === id)).map((id) => `${id} was not run`);
  return [
    ...missing,
    ...checks.filter(({ status }) => status !== 'SUCCESS').map(({ id, status, errorMessage }) => `${id} is ${status}: ${errorMessage ?? ''}`),
  ];
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createNetServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
