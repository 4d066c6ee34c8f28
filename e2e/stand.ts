/**
 * The place where the stories happen: an authorization server as in production (https issuer, Node runtime, real sockets, SQLite in memory) behind a TLS front,
 * a server in development mode, people, MCP servers, clients of every tier, and programs that wait for the answer. Made once, for all files.
 */
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { after } from 'node:test';
import { createServer as createTlsFront } from 'node:tls';
import type { Browser } from 'playwright-core';
import { makeSetupLink } from '../server/src/account/setup.ts';
import { auditEvent } from '../server/src/audit/event.ts';
import type { Context } from '../server/src/context.ts';
import { sha256 } from '../server/src/crypto/hash.ts';
import { hashPassword } from '../server/src/crypto/password.ts';
import { randomId } from '../server/src/crypto/random.ts';
import type { OutgoingMail, ServerOptions } from '../server/src/options.ts';
import { deviceCodeGrant } from '../server/src/rules/device-grant.ts';
import { startDevelopment } from '../server/src/runtimes/development.ts';
import { startNode } from '../server/src/runtimes/serve.ts';
import { newKey } from '../server/src/servers/key-value.ts';
import type { Client, McpServer } from '../server/src/storage/store.ts';
import { pkce, type TestServer, testServer } from '../server/test/harness.ts';
import { selfSigned } from '../server/test/self-signed.ts';
import { openPerson, type Person, type PersonOptions, startBrowser } from './browser.ts';
import { type Callbacks, hostedOrigin, openCallbacks, portOf } from './callbacks.ts';

export const issuer = 'https://auth.acme.example';
export const password = 'correct horse battery staple';
/** Made once: it is slow by intention. */
const passwordHash = hashPassword(password);
export const sessionCookie = '__Host-aa_session';
export const documentId = 'https://claude.ai/oauth/claude-code-client-metadata';

export type Stand = TestServer & {
  browser: Browser;
  callbacks: Callbacks;
  mcp: McpServer;
  /** Registered by the operator, with every kind of return address. */
  approved: Client;
  /** `http://localhost:<port>` of development mode. */
  development: string;
  /** What development mode would send. */
  developmentContext: Context;
  open(options?: PersonOptions): Promise<Person>;
  /** Adds somebody who signs in with `password`. Returns the username. */
  somebody(username?: string): Promise<string>;
  /** The value of a session cookie of that person. */
  session(username: string): Promise<string>;
  /** A window of that person with a session, without the walk through the sign-in page. */
  signedIn(username: string, options?: PersonOptions): Promise<Person>;
  /** An authorization URL, by default of the approved client to its loopback address. */
  url(more?: Record<string, string>): string;
  /** Registers a client as anybody could (RFC 7591) and returns its id. */
  register(clientName: string, redirectUris: string[]): Promise<string>;
  /** What a device is told when it asks (RFC 8628); `from` is its address. */
  device(clientId: string, scope: string, from?: string): Promise<{ device_code: string; user_code: string; verification_uri_complete: string }>;
  /** What a device is told when it polls. */
  poll(clientId: string, deviceCode: string): Promise<{ error?: string; scope?: string }>;
  /** Tokens for a callback the browser was sent to. */
  redeem(callback: URL, clientId: string): Promise<{ access_token: string; refresh_token: string; scope: string }>;
  /** The newest mail to this address. */
  mailTo(address: string, tenant?: string): Promise<OutgoingMail>;
  /** Whether the MCP server would still take this token. */
  isActive(accessToken: string): Promise<boolean>;
};

let opened: Promise<Stand> | undefined;
const endings: (() => unknown)[] = [];
after(async () => {
  for (const end of endings.reverse()) await end();
});

/** The stand, made when the first file asks. */
export function stand(): Promise<Stand> {
  opened ??= ownStand();
  return opened;
}

/** A stand of one's own, for whoever walks the gallery (its pages change what their people have, so the next walk would find something else) or needs other options. */
export async function ownStand(options: Partial<ServerOptions> = {}): Promise<Stand> {
  const callbacks = await openCallbacks();
  endings.push(callbacks.close);
  const mails: OutgoingMail[] = [];
  const sendMail = async (mail: OutgoingMail) => {
    mails.push(mail);
    return 'sent' as const;
  };
  const signIn = { emailCode: true, signUp: 'open' as const };
  const texts = { serviceName: 'Acme sign-in', contact: 'help@acme.example', pseudoLanguages: true };
  const world = await testServer({ issuer, ...texts, fetchDocument, sendMail, signIn, ...options });
  const log = world.server.options.log;
  const running = await startNode({ ...world.server, host: '127.0.0.1', port: 0, log, trustedProxies: ['127.0.0.1'], close: world.close });
  endings.push(() => running.stop());
  const front = createTlsFront(selfSigned(['auth.acme.example']), (socket) => {
    const inner = connect(running.port, '127.0.0.1');
    socket
      .on('error', () => inner.destroy())
      .pipe(inner)
      .on('error', () => socket.destroy())
      .pipe(socket);
  });
  endings.push(() => front.close());
  const development = await startDevelopment({ port: 0, ephemeral: true, log });
  endings.push(() => development.stop());
  const browser = await startBrowser({ 'auth.acme.example': await portOf(front), 'app.example.org': callbacks.httpsPort });
  endings.push(() => browser.close());

  const mcp = await world.addServer(fileServer);
  const approved = await world.addClient({
    id: 'client_approved',
    metadata: {
      clientName: 'Claude Code',
      grantTypes: ['authorization_code', 'refresh_token', deviceCodeGrant],
      postLogoutRedirectUris: [`${hostedOrigin}/stay`],
      redirectUris: ['http://127.0.0.1/callback', 'http://127.0.0.1/stay', ...hostedAddresses, cursorScheme],
    },
  });
  await world.addServer(notesServer);
  await world.addServer(staffServer);
  await world.addClient({
    id: speakerId,
    serverId: mcp.id,
    secret: 'secret of the service',
    metadata: { clientName: 'File Reports', grantTypes: ['urn:ietf:params:oauth:grant-type:token-exchange'], redirectUris: [`${hostedOrigin}/stay`] },
  });
  return {
    ...world,
    ...actions({ world, browser, origin: running.url, mcp, loopback: callbacks.loopback }),
    browser,
    callbacks,
    mcp,
    approved,
    development: development.issuer,
    developmentContext: (await development.server.context()) as Context,
    async mailTo(address, tenant) {
      await world.server.flush();
      await (tenant === undefined ? world.context : await contextOf(world, tenant)).mail.idle();
      const found = mails.findLast(({ to }) => to === address);
      if (!found) throw new Error(`no mail to ${address}`);
      return found;
    },
  };
}

async function contextOf({ server }: Pick<Stand, 'server'>, tenant: string): Promise<Context> {
  const context = await server.context(tenant);
  if (!context) throw new Error(`there is no tenant ${tenant}`);
  return context as Context;
}

/** The tenant `codes`: its people sign in with codes by mail, and nobody has a password. */
export const passwordless = (world: Stand): Promise<Context> => contextOf(world, 'codes');

/** Makes it, with one person. */
export async function addPasswordless(world: Stand): Promise<void> {
  const { server, clock } = world;
  const settings = JSON.stringify({ signIn: { password: false, emailCode: true } });
  await server.storage.addTenant({ tenant: 'codes', name: 'codes', createdAt: clock.now(), settings });
  await addTo(await passwordless(world), 'cody');
}

/** Adds somebody to it. Returns the address that their codes go to. */
export async function addTo({ store, options }: Context, username: string): Promise<string> {
  const email = `${username}@codes.example`;
  const user = { id: `usr_${username}`, username, email, role: 'user' as const, createdAt: options.now() };
  await store.addUser(user, auditEvent('user.added', options.now(), 'test'));
  return email;
}

/** A setup link in a tenant that it makes: where there is an operator, none opens. */
export async function firstLink(world: Stand, tenant: string): Promise<string> {
  await world.server.storage.addTenant({ tenant, name: tenant, createdAt: world.clock.now() });
  return makeSetupLink(await contextOf(world, tenant));
}

/** An address that only an app can open. */
export const cursorScheme = 'cursor://anysphere.cursor-mcp/oauth/callback';
const hostedAddresses = ['/cb', '/stay', '/open-app'].map((path) => hostedOrigin + path);

const fileServer: Partial<McpServer> = {
  id: 'srv_files',
  resource: 'https://your-mcp-server.com',
  scopes: [
    { name: 'files:read', description: 'List and read your files', group: 'see' },
    { name: 'files:write', description: 'Create and edit files', group: 'change', optional: true },
    { name: 'files:delete', description: "Delete files. Can't be undone", group: 'delete', optional: true },
  ],
};

/** Another server, which the first one calls for people (RFC 8693) through a client that speaks for it. */
export const notesResource = 'https://notes.example.com/mcp';
export const speakerId = 'client_reports';
const notesServer: Partial<McpServer> = {
  id: 'srv_notes',
  name: 'Notes',
  resource: notesResource,
  scopes: [{ name: 'notes:read', description: 'Read your notes', group: 'see' }],
};

/** One that is for the people on its list. */
export const staffResource = 'https://staff.example.com/mcp';
const staffServer: Partial<McpServer> = { id: 'srv_staff', name: 'Staff records', resource: staffResource, scopes: [{ name: 'staff:read' }], people: 'listed' };

/** Stands in for the network: one publisher's document, as it is really published. */
async function fetchDocument(url: string) {
  if (url !== documentId) throw new Error('not on this network');
  const { body } = JSON.parse(await readFile(new URL('../server/src/clients/fixtures/claude-code.document.json', import.meta.url), 'utf8'));
  return { status: 200, headers: { 'content-type': 'application/json' }, body: new TextEncoder().encode(JSON.stringify(body)) };
}

type Parts = { world: TestServer; browser: Browser; origin: string; mcp: McpServer; loopback: string };

function actions({ world, browser, origin, mcp, loopback }: Parts) {
  const post = (path: string, body: string, headers: Record<string, string>) => fetch(origin + path, { method: 'POST', body, headers });
  let people = 0;
  let key: Promise<string> | undefined;

  async function somebody(username = `person-${++people}`): Promise<string> {
    await world.addUser({ username, passwordHash: await passwordHash, email: `${username}@acme.example` });
    return username;
  }

  return {
    somebody,
    session: (username: string) => beginSession(username, world),
    open: (options?: PersonOptions) => openPerson(browser, options),
    async signedIn(username: string, options?: PersonOptions): Promise<Person> {
      const person = await openPerson(browser, options);
      await person.context.addCookies([
        { name: sessionCookie, value: await beginSession(username, world), url: issuer, secure: true, httpOnly: true, sameSite: 'Lax' },
      ]);
      return person;
    },
    url: (more: Record<string, string> = {}) =>
      `${issuer}/authorize?${new URLSearchParams({
        response_type: 'code',
        client_id: 'client_approved',
        redirect_uri: `${loopback}/callback`,
        scope: 'files:read files:write',
        resource: mcp.resource,
        state: 'state of the agent',
        code_challenge: pkce.challenge,
        code_challenge_method: 'S256',
        ...more,
      })}`,
    async register(clientName: string, redirectUris: string[]): Promise<string> {
      const metadata = {
        client_name: clientName,
        redirect_uris: redirectUris,
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token', deviceCodeGrant],
      };
      const response = await post('/register', JSON.stringify(metadata), { 'Content-Type': 'application/json' });
      if (response.status !== 201) throw new Error(await response.text());
      return ((await response.json()) as { client_id: string }).client_id;
    },
    async device(clientId: string, scope: string, from = '198.51.100.23') {
      const body = new URLSearchParams({ client_id: clientId, scope, resource: mcp.resource }).toString();
      const response = await post('/device_authorization', body, { ...formBody, 'X-Forwarded-For': from });
      if (response.status !== 200) throw new Error(await response.text());
      return (await response.json()) as { device_code: string; user_code: string; verification_uri_complete: string };
    },
    async poll(clientId: string, deviceCode: string) {
      const body = new URLSearchParams({ grant_type: deviceCodeGrant, client_id: clientId, device_code: deviceCode }).toString();
      return (await (await post('/token', body, formBody)).json()) as { error?: string; scope?: string };
    },
    async redeem(callback: URL, clientId: string) {
      const redirectUri = callback.href.slice(0, callback.href.indexOf('?'));
      const values = {
        grant_type: 'authorization_code',
        code: callback.searchParams.get('code') ?? '',
        code_verifier: pkce.verifier,
        client_id: clientId,
        redirect_uri: redirectUri,
      };
      const response = await post('/token', new URLSearchParams(values).toString(), formBody);
      if (response.status !== 200) throw new Error(await response.text());
      return (await response.json()) as { access_token: string; refresh_token: string; scope: string };
    },
    async isActive(accessToken: string): Promise<boolean> {
      key ??= addKey(world, mcp);
      const response = await post('/introspect', new URLSearchParams({ token: accessToken }).toString(), { ...formBody, Authorization: `Bearer ${await key}` });
      return ((await response.json()) as { active: boolean }).active;
    },
  };
}

async function beginSession(username: string, { store, clock }: TestServer): Promise<string> {
  const found = await store.findUserByLogin(username);
  if (!found) throw new Error(`nobody is called ${username}`);
  const id = randomId('', 32);
  const now = clock.now();
  const session = { idHash: sha256(id), userId: found.user.id, authTime: now, createdAt: now, seenAt: now, idleSeconds: 43200, expiresAt: now + 86400 };
  await store.startSession({ ...session, epoch: found.user.sessionEpoch }, undefined, auditEvent('user.signed_in', now, 'test'));
  return id;
}

const formBody = { 'Content-Type': 'application/x-www-form-urlencoded' };

async function addKey({ store, clock }: TestServer, { id: serverId }: McpServer): Promise<string> {
  const { id, secret, hash } = newKey();
  const row = { id, serverId, name: 'e2e', secretHash: hash, createdAt: clock.now(), expiresAt: clock.now() + 86400 };
  await store.addKey(row, auditEvent('key.created', clock.now(), 'test'));
  return secret;
}
