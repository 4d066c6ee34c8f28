/**
 * One node as operators run it, with a clock that can be set wrong: its parent asks it for what only the inside can do (fill an empty database, jump the clock,
 * rotate keys, keep house). Everything else comes over HTTP. Not here: what is asked when (disruptions/), what callers do (load.ts).
 */
import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { auditEvent } from '../server/src/audit/event.ts';
import { verifyChain } from '../server/src/audit/verify.ts';
import type { Context } from '../server/src/context.ts';
import { sha256 } from '../server/src/crypto/hash.ts';
import { randomId } from '../server/src/crypto/random.ts';
import { openDatabase } from '../server/src/runtimes/database.ts';
import { startNode } from '../server/src/runtimes/node.ts';
import { createServer } from '../server/src/server.ts';
import { newKey } from '../server/src/servers/key-value.ts';
import { app, issuer, machine, resource, scope } from './world.ts';

const [databaseUrl = '', port = '0'] = process.argv.slice(2);
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
let offset = 0;
const now = () => Math.floor(Date.now() / 1000) + offset;
const log = { info() {}, warn() {}, error: (event: string) => process.send?.({ logged: event }) };

const server = createServer({
  issuer,
  secret: 'a secret that chaos must never lose',
  driver: await openDatabase(databaseUrl),
  now,
  log,
  // One machine stands for many.
  limits: ['token.client=off', 'introspect.caller=off', 'authorize.person=off'],
});
const context = (await server.context()) as Context;
const { store } = context;
const event = (type: Parameters<typeof auditEvent>[0]) => auditEvent(type, now(), 'chaos');

/** What the parent may ask for. Answers are JSON. */
const tasks = {
  /** Makes the tables and who is needed; answers with the MCP server's API key. */
  async fill() {
    await server.storage.migrate(now());
    const at = now();
    const times = { createdAt: at, updatedAt: at };
    await store.addUser({ id: 'usr_owner', username: 'owner', role: 'operator', createdAt: at }, event('user.added'));
    const scopes = scope.split(' ').map((name) => ({ name }));
    await store.addServer({ id: 'srv_chaos', ownerId: 'usr_owner', resource, serverUrl: resource, name: 'Files', scopes, ...times }, event('server.added'));
    const key = newKey();
    await store.addKey({ id: key.id, serverId: 'srv_chaos', name: 'chaos', secretHash: key.hash, createdAt: at, expiresAt: at + 86_400 }, event('key.created'));
    const clients = [
      { id: app.id, grantTypes: ['authorization_code', 'refresh_token'], redirectUris: [app.redirectUri], tokenEndpointAuthMethod: 'none' as const },
      { id: machine.id, grantTypes: ['client_credentials'], redirectUris: [], tokenEndpointAuthMethod: 'client_secret_basic' as const, scope },
    ];
    for (const { id, ...metadata } of clients) {
      const secretHash = id === machine.id ? context.instance.mac('client-secret', id, machine.secret) : undefined;
      const client = { id, registration: 'manual' as const, secretHash, createdAt: at, lastUsedAt: at };
      await store.addClient({ ...client, metadata: { clientName: id, responseTypes: ['code'], ...metadata } }, event('client.registered'));
    }
    return key.secret;
  },
  /** Somebody new who is signed in; answers with their cookie. */
  async person() {
    const at = now();
    const [userId, id] = [randomId('usr_', 12), randomId('', 32)];
    await store.addUser({ id: userId, username: userId.toLowerCase().replaceAll('_', '-'), role: 'user', createdAt: at }, event('user.added'));
    const session = { idHash: sha256(id), userId, authTime: at, createdAt: at, seenAt: at, idleSeconds: 3600, expiresAt: at + 86_400 };
    await store.startSession(session, undefined, event('user.signed_in'));
    return { name: '__Host-aa_session', value: id };
  },
  /** Memory in megabytes, the heap after a collection where --expose-gc is on, what the process holds open, the processor time it has used, and for how long it stood still at most since it was asked, in milliseconds. */
  vitals() {
    const still = delay.max / 1e6;
    (globalThis as { gc?: () => void }).gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    const megabyte = 1024 * 1024;
    const { user, system } = process.cpuUsage();
    const active = process.getActiveResourcesInfo();
    // What this itself takes does not count.
    setImmediate(() => delay.reset());
    return {
      rss: rss / megabyte,
      heap: heapUsed / megabyte,
      files: readdirSync('/proc/self/fd').length,
      active: active.length,
      sockets: active.filter((resource) => resource === 'TCPSocketWrap').length,
      cpuSeconds: (user + system) / 1e6,
      still,
    };
  },
  people: (count: number) => Promise.all(Array.from({ length: count }, () => tasks.person())),
  clock(seconds: number) {
    offset = seconds;
  },
  rotateKeys: () => context.signing.rotate('ES256', { actor: 'chaos', atOnce: true }),
  maintain: () => server.maintain(),
  /** What is wrong with the chain of audit events, if anything is. */
  chain: async () => (await verifyChain({ store, instance: context.instance })).broken?.why ?? '',
};
export type Tasks = typeof tasks;

process.on('message', async ({ id, task, value }: { id: number; task: keyof Tasks; value: never }) => {
  try {
    process.send?.({ id, answer: await tasks[task](value) });
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? error.message : 'unknown' });
  }
});
process.on('disconnect', () => process.exit());

const running = await startNode({
  ...server,
  log,
  host: '127.0.0.1',
  port: Number(port),
  trustedProxies: ['127.0.0.1'],
  close: () => server.close(),
});
process.send?.({ port: running.port });
