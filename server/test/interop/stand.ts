/**
 * The stand for stories with official clients: our server and MCP servers on real sockets of this computer, one clock for both that moves when told, one
 * person. Nothing here is particular to a client; agents.ts is.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ProtectOptions } from 'auth-agent-mcp-sdk';
import { filesServer } from '../../../examples/typescript-server/src/files-server.ts';
import { auditEvent } from '../../src/audit/event.ts';
import { hashPassword } from '../../src/crypto/password.ts';
import type { HttpRequest } from '../../src/http-request.ts';
import type { ServerOptions } from '../../src/options.ts';
import { startNode } from '../../src/runtimes/serve.ts';
import { newKey } from '../../src/servers/key-value.ts';
import type { McpServer } from '../../src/storage/store.ts';
import { type Browser, openBrowser, signInAndDecide } from '../browser.ts';
import { type TestServer, testServer } from '../harness.ts';

/** An MCP server that is registered and runs. */
export type Registered = { url: URL; row: McpServer; options: ProtectOptions };
type Handler = (request: Request) => Response | Promise<Response>;

export type Stand = TestServer & {
  issuer: string;
  /** The person's browser, and everything they allow or deny in it. */
  browser: Browser;
  allow(authorizationUrl: URL): Promise<URL>;
  deny(authorizationUrl: URL): Promise<URL>;
  /** Opens the Connected agents page and presses the first Disconnect. */
  disconnect(): Promise<void>;
  /** Registers an MCP server at `path` of a free port and starts what `make` makes of its options. */
  serve(path: string, make: (options: ProtectOptions, url: URL) => Handler): Promise<Registered>;
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

/** Starts our server; everything is closed when the test ends. */
export async function openStand(t: Pick<TestContext, 'after'>, overrides: Partial<ServerOptions> = {}): Promise<Stand> {
  const stops: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const stop of stops.reverse()) await stop();
  });
  let server: TestServer | undefined;
  // The issuer has the port in it, so the socket comes first.
  const running = await startNode({
    port: 0,
    host: 'localhost',
    log: quiet,
    fetch: () => new Response(null, { status: 503 }),
    answer: (request: HttpRequest, connection) => (server as TestServer).server.answer(request, connection),
  });
  stops.push(() => running.stop());
  const issuer = running.url;
  server = await testServer({ issuer, ...overrides });
  stops.push(server.close);
  // Clients have clocks of their own: ours begins where theirs are.
  server.clock.advance(Math.floor(Date.now() / 1000) - server.clock.now());
  const user = await server.addUser({ passwordHash: await passwordHash });
  const browser = openBrowser(fetch, issuer);
  const { clock, store } = server;

  async function register(url: URL): Promise<Registered> {
    const resource = url.pathname === '/' ? url.origin : url.href;
    const row = await (server as TestServer).addServer({ ownerId: user.id, resource, serverUrl: url.href, scopes });
    const key = newKey();
    const keyRow = { id: key.id, serverId: row.id, name: 'test', secretHash: key.hash, createdAt: clock.now(), expiresAt: clock.now() + 365 * 86400 };
    await store.addKey(keyRow, auditEvent('key.created', clock.now(), 'test'));
    const options: ProtectOptions = { serverId: row.id, apiKey: key.secret, authServerUrl: issuer, now: clock.now, cacheTtl: 0, log: assert.fail };
    return { url, row, options };
  }

  async function serve(path: string, make: (options: ProtectOptions, url: URL) => Handler): Promise<Registered> {
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
    issuer,
    browser,
    allow: decide('allow'),
    deny: decide('deny'),
    async disconnect() {
      const agents = await browser.open('/account/agents');
      const [, first = ''] = /name="grant" value="([^"]+)"/.exec(agents.html) ?? [];
      const page = await browser.submit(agents, { grant: first });
      assert.match(page.html, /Disconnected/);
    },
    register,
    serve,
    files: () => serve('/mcp', (options) => filesServer(filesInMemory(), options).fetch),
  };
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
