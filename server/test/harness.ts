/**
 * A server for tests: in-memory SQLite, a clock that stands still until told, a log that is kept, and short ways to put people, servers and clients there.
 * Everything a test asserts goes through `request`, as a stranger would see it.
 */

import { type AuthServer, createApp } from '../src/app.ts';
import { auditEvent } from '../src/audit/event.ts';
import type { Context, LogFields } from '../src/context.ts';
import { sha256 } from '../src/crypto/hash.ts';
import { hashPassword } from '../src/crypto/password.ts';
import { randomId } from '../src/crypto/random.ts';
import { keysReloadAfter } from '../src/crypto/signing-keys.ts';
import type { ServerOptions } from '../src/options.ts';
import type { Route } from '../src/route.ts';

import type { Driver } from '../src/storage/driver.ts';
import type { Client, ClientMetadata, McpServer, NewUser, Store } from '../src/storage/store.ts';
import { assertNotLogged, assertNotStored, canaries } from './canaries.ts';
import { moreDrivers, nameOf, testDatabase } from './database.ts';
import { frontOf } from './front.ts';
import { inWorkerd } from './workerd/elsewhere.ts';
import { wantsWorkerd } from './workerd/start.ts';

export const issuer = 'https://auth.example.com';
export const start = 1_800_000_000;

export type TestServer = {
  server: AuthServer;
  context: Context;
  store: Store;
  clock: { now(): number; advance(seconds: number): void };
  /** Lets the clock run until every node has read the keys that another changed; nothing where there is one. Returns the seconds. */
  untilAllNodesKnow(): number;
  /** Every line logged so far, as `level event json`. */
  logged: string[];
  request(path: string, init?: RequestInit & { address?: string }): Promise<Response>;
  addUser(user?: Partial<NewUser> & { password?: string }): Promise<NewUser>;
  addServer(server?: Partial<McpServer>): Promise<McpServer>;
  addClient(client?: Partial<Omit<Client, 'metadata'>> & { metadata?: Partial<ClientMetadata>; secret?: string }): Promise<Client>;
  close(): Promise<void>;
};

/** Starts a server; `routes` replaces the whole table, for tests of one room. */
export async function testServer(overrides: Partial<ServerOptions> = {}, routes?: Route[]): Promise<TestServer> {
  let time = start;
  const logged: string[] = [];
  const secrets = canaries(400);
  const write = (level: string) => (event: string, fields?: LogFields, cause?: unknown) =>
    void logged.push(`${level} ${event} ${JSON.stringify(fields ?? {})}${cause === undefined ? '' : ` ${String(cause)}`}`);
  const database = overrides.driver ? { driver: overrides.driver, name: nameOf(overrides.driver) ?? '' } : await testDatabase();
  const options: ServerOptions = {
    issuer,
    secret: 'a test secret that is long enough to pass',
    driver: database.driver,
    now: () => time,
    log: { info: write('info'), warn: write('warn'), error: write('error') },
    ...overrides,
  };
  const { createServer } = await import('../src/server.ts');
  const node = (driver: Driver): AuthServer => (routes ? createApp(routes, [], { ...options, driver }) : createServer({ ...options, driver }));
  const server = node(database.driver);
  await server.storage.migrate(time);
  const fellows = overrides.driver ? [] : moreDrivers(database).map(node);
  const elsewhere = wantsWorkerd && (await inWorkerd(overrides, { name: database.name, ownRoutes: routes !== undefined, logged, now: () => time }));
  const front = frontOf([server, ...fellows], elsewhere || undefined);
  const context = (await server.context()) as Context;
  const { store } = context;
  const event = (type: Parameters<typeof auditEvent>[0]) => auditEvent(type, time, 'test');

  return {
    server: front,
    context,
    store,
    logged,
    clock: {
      now: () => time,
      advance: (seconds) => {
        time += seconds;
      },
    },
    untilAllNodesKnow() {
      const seconds = fellows.length > 0 || elsewhere ? keysReloadAfter : 0;
      time += seconds;
      return seconds;
    },
    async request(path, { address = '203.0.113.7', ...init } = {}) {
      const url = path.startsWith('http') ? path : options.issuer + path;
      secrets.request(url, init);
      const response = await front.fetch(new Request(url, { redirect: 'manual', ...init }), { address });
      await secrets.answer(response);
      return response;
    },
    async addUser({ password, ...user } = {}) {
      const username = user.username ?? 'ada';
      const added: NewUser = {
        id: randomId('usr_', 12),
        username,
        email: `${username}@example.com`,
        name: 'Ada Lovelace',
        role: 'user',
        createdAt: time,
        ...user,
      };
      if (password !== undefined) added.passwordHash = await hashPassword(password);
      await store.addUser(added, event('user.added'));
      return added;
    },
    async addServer(given = {}) {
      const added: McpServer = {
        id: randomId('srv_', 9),
        ownerId: 'usr_owner',
        resource: 'https://mcp.example.com/mcp',
        serverUrl: given.resource ?? 'https://mcp.example.com/mcp',
        name: 'My File Server',
        scopes: [{ name: 'files:read' }, { name: 'files:write' }, { name: 'files:delete' }],
        createdAt: time,
        updatedAt: time,
        ...given,
      };
      await store.addServer(added, event('server.added'));
      return added;
    },
    async addClient({ metadata, secret, ...given } = {}) {
      const id = given.id ?? randomId('client_', 12);
      const added: Client = {
        id,
        registration: 'manual',
        metadata: {
          clientName: 'Claude Code',
          redirectUris: ['http://localhost/callback'],
          grantTypes: ['authorization_code', 'refresh_token'],
          responseTypes: ['code'],
          tokenEndpointAuthMethod: secret === undefined ? 'none' : 'client_secret_basic',
          ...metadata,
        },
        createdAt: time,
        lastUsedAt: time,
        ...given,
      };
      if (secret !== undefined) added.secretHash = context.instance.mac('client-secret', id, secret);
      await store.addClient(added, event('client.registered'));
      return added;
    },
    /** Closes the database, after a look at what was logged and stored: no secret that went through here may be there. */
    async close() {
      assertNotLogged(secrets, logged);
      if (database.driver.name === 'sqlite' && !elsewhere) await assertNotStored(secrets, database.driver);
      await front.storage.close();
    },
  };
}

/** A PKCE pair: RFC 7636 Appendix B. */
export const pkce = { verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk', challenge: sha256('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk') };

/** A form body with its content type. */
export function form(values: Record<string, string>, headers: Record<string, string> = {}): RequestInit {
  return { method: 'POST', body: new URLSearchParams(values).toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers } };
}
