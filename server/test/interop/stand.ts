/**
 * The stand for stories with official clients: our server and MCP servers on real sockets of this computer, one clock for both that moves when told, one
 * person. Nothing here is particular to a client; agents.ts is.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { mcpTokenVerifier } from 'auth-agent-mcp-sdk/mcp';
import { filesServer } from '../../../examples/typescript-server/src/files-server.ts';
import { auditEvent } from '../../src/audit/event.ts';
import type { Context } from '../../src/context.ts';
import { hashPassword } from '../../src/crypto/password.ts';
import { randomId } from '../../src/crypto/random.ts';
import type { HttpRequest } from '../../src/http-request.ts';
import type { ServerOptions } from '../../src/options.ts';
import { startNode } from '../../src/runtimes/serve.ts';
import { newKey } from '../../src/servers/key-value.ts';
import type { McpServer, NewUser } from '../../src/storage/store.ts';
import { type Browser, decideDevice, openBrowser, signInAndDecide } from '../browser.ts';
import { type TestServer, testServer } from '../harness.ts';

/** What every adapter takes. */
export type PlainOptions = Parameters<typeof mcpTokenVerifier>[0];
/** An MCP server that is registered and runs. `said` is what its SDK told its developer: what a story leaves there fails it. */
export type Registered = { url: URL; row: McpServer; options: PlainOptions; said: string[] };
type Handler = (request: Request) => Response | Promise<Response>;

export type Stand = TestServer & {
  issuer: string;
  /** The person's browser, and everything they allow or deny in it. */
  browser: Browser;
  /** Ends the authorization server; MCP servers go on. */
  stop(): Promise<void>;
  allow(authorizationUrl: URL): Promise<URL>;
  deny(authorizationUrl: URL): Promise<URL>;
  /** Enters the code of a device and decides. */
  answerDevice(codes: { verification_uri: string; user_code: string }, decision: 'allow' | 'deny'): Promise<void>;
  /** Opens the Connected agents page and presses the first Disconnect. */
  disconnect(): Promise<void>;
  /** Registers an MCP server at `path` of a free port and starts what `make` makes of its options. */
  serve(path: string, make: (options: PlainOptions, url: URL) => Handler): Promise<Registered>;
  /** Registers an MCP server that is run elsewhere. */
  register(url: URL): Promise<Registered>;
  /** The example of this repository: `files:read` to enter, step-up to write and to delete. */
  files(): Promise<Registered>;
};

const quiet = { info() {}, warn() {}, error: console.error };
const password = 'correct horse battery staple';
/** Made once: it is slow by intention. */
const passwordHash = hashPassword(password);
const scopes = [{ name: 'files:read' }, { name: 'files:write' }, { name: 'files:delete' }];

/** Starts our server; everything is closed when the test ends. With `tenant`, all of it happens below `/t/<tenant>`. */
export async function openStand(t: Pick<TestContext, 'after'>, overrides: Partial<ServerOptions> = {}, tenant?: string): Promise<Stand> {
  const stops: (() => Promise<void>)[] = [];
  const logs: string[][] = [];
  t.after(async () => {
    for (const stop of stops.reverse()) await stop();
    assert.deepEqual(logs.flat(), []);
  });
  let server: TestServer | undefined;
  // The issuer has the port in it, so the socket comes first.
  const running = await startNode({
    port: 0,
    host: 'localhost',
    log: quiet,
    fetch: () => new Response(null, { status: 503 }),
    answer: (request: HttpRequest, connection) => (server as TestServer).server.answer(request, connection),
    close: async () => server?.close(),
  });
  stops.push(running.stop);
  server = await testServer({ issuer: running.url, ...overrides });
  const { clock } = server;
  // Clients have clocks of their own: ours begins where theirs are.
  clock.advance(Math.floor(Date.now() / 1000) - clock.now());
  const context = tenant === undefined ? server.context : await addTenant(tenant, server);
  const { store, issuer, base } = context;
  const user: NewUser = { id: randomId('usr_', 12), username: 'ada', email: 'ada@example.com', name: 'Ada Lovelace', role: 'user', createdAt: clock.now() };
  await store.addUser({ ...user, passwordHash: await passwordHash }, event('user.added', clock));
  const browser = openBrowser(fetch, running.url);

  async function register(url: URL): Promise<Registered> {
    const resource = url.pathname === '/' ? url.origin : url.href;
    const now = clock.now();
    const row = { id: randomId('srv_', 9), ownerId: user.id, resource, serverUrl: url.href, name: 'Files', scopes, createdAt: now, updatedAt: now };
    await store.addServer(row, event('server.added', clock));
    const key = newKey();
    const keyRow = { id: key.id, serverId: row.id, name: 'test', secretHash: key.hash, createdAt: now, expiresAt: now + 365 * 86400 };
    await store.addKey(keyRow, event('key.created', clock));
    const said: string[] = [];
    logs.push(said);
    const log = (hint: string) => void said.push(hint);
    const options: PlainOptions = { serverId: row.id, apiKey: key.secret, authServerUrl: issuer, now: clock.now, cacheTtl: 0, log };
    return { url, row, options, said };
  }

  async function serve(path: string, make: (options: PlainOptions, url: URL) => Handler): Promise<Registered> {
    let handler: Handler = () => new Response(null, { status: 503 });
    const listening = await startNode({ port: 0, host: 'localhost', log: quiet, fetch: (request) => handler(request) });
    stops.push(() => listening.stop());
    const registered = await register(new URL(path, listening.url));
    handler = make(registered.options, registered.url);
    return registered;
  }

  const decide = (decision: 'allow' | 'deny') => async (authorizationUrl: URL) =>
    new URL(await signInAndDecide(authorizationUrl.href, { username: user.username, password, decision }, { browser }));

  return {
    ...server,
    context,
    store,
    issuer,
    browser,
    stop: running.stop,
    allow: decide('allow'),
    deny: decide('deny'),
    async answerDevice({ verification_uri: url, user_code: code }, decision) {
      await decideDevice(url, code, { username: user.username, password, decision }, { browser });
    },
    async disconnect() {
      const agents = await browser.open(`${base}/account/agents`);
      const [, first = ''] = /name="grant" value="([^"]+)"/.exec(agents.html) ?? [];
      const page = await browser.submit(agents, { grant: first });
      assert.match(page.html, /Disconnected/);
    },
    register,
    serve,
    files: () => serve('/mcp', (options) => filesServer(filesInMemory(), options).fetch),
  };
}

async function addTenant(tenant: string, { server, clock }: TestServer): Promise<Context> {
  await server.storage.addTenant({ tenant, name: tenant, createdAt: clock.now() });
  return (await server.context(tenant)) as Context;
}

function event(type: Parameters<typeof auditEvent>[0], clock: TestServer['clock']) {
  return auditEvent(type, clock.now(), 'test');
}

function filesInMemory() {
  const files = new Map<string, string>();
  return {
    list: async () => [...files.keys()],
    read: async (name: string) => files.get(name) ?? '',
    write: async (name: string, text: string) => void files.set(name, text),
    remove: async (name: string) => void files.delete(name),
  };
}
