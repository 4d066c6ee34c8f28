/**
 * The stage for stories about tokens: a server with a person, an MCP server and a client on it, and codes as the authorization endpoint would leave them in
 * the store.
 */
import { auditEvent } from '../../src/audit/event.ts';
import { sha256At } from '../../src/crypto/hash.ts';
import { randomId } from '../../src/crypto/random.ts';
import type { ServerOptions } from '../../src/options.ts';
import { newKey } from '../../src/servers/key-value.ts';
import type { Client, Grant, McpServer, NewUser } from '../../src/storage/store.ts';
import { form, pkce, type TestServer, testServer } from '../harness.ts';

export type Json = Record<string, unknown>;
export type Tokens = { access_token: string; refresh_token: string; id_token?: string; expires_in: number; token_type: string; scope: string };
type CodeOptions = {
  user?: NewUser;
  scope?: string[];
  client?: Client;
  resource?: string;
  nonce?: string;
  codeChallenge?: string;
  expiresAt?: number;
  dpopJkt?: string;
};

export type Stage = TestServer & {
  user: NewUser;
  mcp: McpServer;
  client: Client;
  /** A living API key of `mcp`, or of another server. */
  keyOf(server?: McpServer): Promise<{ id: string; secret: string }>;
  /** What the authorization endpoint leaves behind after Allow. */
  code(options?: CodeOptions): Promise<{ code: string; grant: Grant }>;
  /** POST with a form body. */
  post(path: string, values: Record<string, string>, headers?: Record<string, string>): Promise<Response>;
  /** Redeems a fresh code of the public client. */
  tokens(options?: CodeOptions): Promise<Tokens>;
  refresh(refreshToken: string, more?: Record<string, string>): Promise<Response>;
  /** Asks with a key of `mcp`. */
  introspect(token: string): Promise<Json>;
};

export const redirectUri = 'http://localhost:4711/callback';

/** Sets the stage: one person, one MCP server, one public client. */
export async function stage(overrides: Partial<ServerOptions> = {}): Promise<Stage> {
  const world = await testServer(overrides);
  const { store, clock } = world;
  const user = await world.addUser();
  const mcp = await world.addServer();
  const client = await world.addClient();
  let key: Promise<{ id: string; secret: string }> | undefined;

  const self: Stage = {
    ...world,
    user,
    mcp,
    client,
    async keyOf(server = mcp) {
      const { id, secret, hash } = newKey();
      const row = { id, serverId: server.id, name: 'test', secretHash: hash, createdAt: clock.now(), expiresAt: clock.now() + 86400 };
      await store.addKey(row, auditEvent('key.created', clock.now(), 'test'));
      return { id, secret };
    },
    code: (options) => leaveCode(self, options ?? {}),
    post: (path, values, headers) => world.request(path, form(values, headers)),
    async tokens(options = {}) {
      const { code } = await self.code(options);
      const response = await self.post('/token', redemption(options.client ?? client, code));
      if (response.status !== 200) throw new Error(await response.text());
      return (await response.json()) as Tokens;
    },
    refresh: (refreshToken, more = {}) => self.post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: client.id, ...more }),
    async introspect(value) {
      key ??= self.keyOf();
      const response = await self.post('/introspect', { token: value }, bearer((await key).secret));
      return (await response.json()) as Json;
    },
  };
  return self;
}

/** The fields of a good redemption by a public client. */
export function redemption(client: Client, code: string): Record<string, string> {
  return { grant_type: 'authorization_code', client_id: client.id, code, code_verifier: pkce.verifier, redirect_uri: redirectUri };
}

export function bearer(credential: string): Record<string, string> {
  return { Authorization: `Bearer ${credential}` };
}

export function basic(id: string, secret: string): Record<string, string> {
  return { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` };
}

/** Reads an error and what must hold for every one of them (TOK-05). */
export async function errorOf(response: Response): Promise<{ status: number; error: unknown; description: unknown }> {
  const body = (await response.json()) as Json;
  return { status: response.status, error: body.error, description: body.error_description };
}

async function leaveCode({ store, clock, ...world }: Stage, options: CodeOptions): Promise<{ code: string; grant: Grant }> {
  const {
    user = world.user,
    client = world.client,
    scope = ['files:read', 'files:write'],
    resource = world.mcp.resource,
    codeChallenge = pkce.challenge,
    nonce,
    dpopJkt,
  } = options;
  const now = clock.now();
  const code = randomId('ac_', 32);
  const idHash = randomId('', 16);
  const serverId = resource === world.mcp.resource ? world.mcp.id : undefined;
  const grant: Grant = { id: randomId('grant_', 12), userId: user.id, clientId: client.id, serverId, resource, scope, createdAt: now, lastUsedAt: now };
  const request = { clientId: client.id, redirectUri, redirectUriSent: true, scope, resource, codeChallenge, prompt: [] };
  await store.parkRequest({ idHash, browserHash: 'browser', request, createdAt: now, expiresAt: now + 600 });
  const row = {
    codeHash: sha256At(code),
    grantId: grant.id,
    clientId: client.id,
    redirectUri,
    codeChallenge,
    nonce,
    dpopJkt,
    authTime: now - 120,
    createdAt: now,
    expiresAt: options.expiresAt ?? now + 60,
    failures: 0,
  };
  const event = auditEvent('grant.approved', now, `user:${user.id}`, { userId: user.id, grantId: grant.id });
  await store.approveRequest({ idHash, answer: 'sealed', grant, code: row, now }, event);
  return { code, grant };
}
