/** `auth-agent servers …`: the MCP servers we guard. */
import { auditEvent, type McpServer, randomWord, readServerFacts, type Store, type User, viewOfServer } from 'auth-agent-mcp-server/node';
import { confirm } from '../ask.ts';
import { type Call, type Command, databaseFlags, listFlag, textFlag } from '../command.ts';
import { next, type Opened, withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';
import { findPerson } from './users.ts';

export const addServer: Command = {
  name: 'servers add',
  about: 'register an MCP server',
  usage: '<url>',
  flags: [
    ...databaseFlags,
    { name: 'name', kind: 'text', value: 'text', about: 'what people read on the consent page' },
    { name: 'scope', kind: 'list', value: 'scope', about: 'a permission, such as files:read' },
    { name: 'default-scope', kind: 'list', value: 'scope', about: 'what a request without scope gets' },
    { name: 'description', kind: 'text', value: 'text', about: 'one sentence' },
    { name: 'owner', kind: 'text', value: 'username', about: 'whose server it is (the only operator)' },
  ],
  examples: ['auth-agent servers add https://your-mcp-server.com --name "My File Server" --scope files:read --scope files:write'],
  run: (call) =>
    withStore(call, async ({ store, config, now }) => {
      const facts = factsOf(call);
      const owner = await ownerOf(call, store);
      if (facts.resource === config.issuer) throw taken(facts.resource);
      const server: McpServer = { ...facts, id: `srv_${randomWord(16)}`, ownerId: owner.id, createdAt: now, updatedAt: now };
      const event = auditEvent('server.added', now, 'cli', { userId: owner.id, serverId: server.id, detail: { resource: server.resource } });
      if ((await store.addServer(server, event)) === 'taken') throw taken(facts.resource);
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return {
        data: viewOfServer(server, issuerOf(call, config.issuer)),
        lines: [ok(`Registered ${server.id}  resource ${server.resource}  owner ${owner.username}`)],
        notes: [next(`auth-agent keys create ${server.id} --name "Production Key"`, call)],
      };
    }),
};

export const listServers: Command = {
  name: 'servers list',
  about: 'list MCP servers, oldest first',
  flags: [...databaseFlags, { name: 'owner', kind: 'text', value: 'username', about: 'only those of this person' }],
  examples: ['auth-agent servers list', 'auth-agent servers list --owner ada --json'],
  run: (call) =>
    withStore(call, async ({ store, config }) => {
      const owner = textFlag(call, 'owner');
      const ownerId = owner === undefined ? undefined : (await findPerson(store, owner)).id;
      const servers = await allServers(store, ownerId);
      return {
        data: { servers: servers.map((server) => viewOfServer(server, issuerOf(call, config.issuer))) },
        lines: table(
          ['ID', 'NAME', 'RESOURCE', 'SCOPES'],
          servers.map(({ id, name, resource, scopes }) => [id, safe(name), safe(resource), scopes.map((scope) => scope.name).join(' ')]),
        ),
      };
    }),
};

export const showServer: Command = {
  name: 'servers show',
  about: 'show one MCP server',
  usage: '<id>',
  flags: databaseFlags,
  examples: ['auth-agent servers show srv_abc123'],
  run: (call) =>
    withStore(call, async (opened) => {
      const view = viewOfServer(await serverOf(call, opened), issuerOf(call, opened.config.issuer));
      const lines = Object.entries(view).flatMap(([name, value]) =>
        value === undefined ? [] : `  ${name.padEnd(32)} ${safe(typeof value === 'string' ? value : JSON.stringify(value))}`,
      );
      return { data: view, lines, notes: [next(`auth-agent keys list ${view.server_id}`, call)] };
    }),
};

export const removeServer: Command = {
  name: 'servers rm',
  about: 'remove an MCP server, its keys and what people allowed on it',
  usage: '<id>',
  flags: [...databaseFlags, { name: 'yes', kind: 'switch', about: 'do not ask' }],
  examples: ['auth-agent servers rm srv_abc123', 'auth-agent servers rm srv_abc123 --yes --json'],
  run: (call) =>
    withStore(call, async (opened) => {
      const server = await serverOf(call, opened);
      const grants = (await opened.store.listGrants({ serverId: server.id }, opened.now)).length;
      await confirm(call, { name: server.id, breaks: `This removes ${safe(server.name)} (${safe(server.resource)}), its keys and ${grants} grants, now.` });
      await opened.store.removeServer(
        server.id,
        auditEvent('server.removed', opened.now, 'cli', { serverId: server.id, detail: { resource: server.resource } }),
      );
      return { data: { server_id: server.id, grants_revoked: grants }, lines: [styleOf(call.terminal.stdout, call.terminal.env).ok(`Removed ${server.id}`)] };
    }),
};

/** The server that the first argument names. @throws {Failure} notFound */
export async function serverOf({ args: [id = ''] }: Call, { store }: Opened): Promise<McpServer> {
  const server = await store.findServer(id);
  if (!server) throw new Failure('notFound', `There is no server ${safe(id)}`, { fix: 'auth-agent servers list' });
  return server;
}

function factsOf(call: Call) {
  const scopes = listFlag(call, 'scope').flatMap((scope) => scope.split(/[ ,]+/).filter(Boolean));
  const defaults = listFlag(call, 'defaultScope');
  const read = readServerFacts({
    server_url: call.args[0],
    server_name: textFlag(call, 'name') ?? hostOf(call.args[0]),
    description: textFlag(call, 'description'),
    scopes,
    default_scopes: defaults.length > 0 ? defaults : undefined,
  });
  if ('problem' in read) throw new Failure('usage', read.problem, { fix: addServer.examples[0] });
  return read.facts;
}

const hostOf = (url = ''): string => (URL.canParse(url) ? new URL(url).host : 'MCP server');

async function ownerOf(call: Call, store: Store): Promise<User> {
  const named = textFlag(call, 'owner');
  if (named !== undefined) return mayOwn(await findPerson(store, named));
  const operators = (await store.listUsers()).filter((user) => user.role === 'operator' && user.disabledAt === undefined);
  const [only] = operators;
  if (only && operators.length === 1) return only;
  throw new Failure('usage', 'Whose server is it?', {
    why: only ? 'There are several operators.' : 'There is no operator yet.',
    fix: only ? '--owner <username>; auth-agent users list' : 'auth-agent users add <username> --role operator',
  });
}

function mayOwn(user: User): User {
  if (user.role !== 'user') return user;
  throw new Failure('refused', `${safe(user.username)} is neither owner nor operator`, {
    why: 'Only they may have servers.',
    fix: 'auth-agent users add <username> --role owner',
  });
}

async function allServers(store: Store, ownerId: string | undefined): Promise<McpServer[]> {
  const servers: McpServer[] = [];
  for (;;) {
    const page = await store.listServers({ ownerId, limit: 200, after: servers.at(-1) });
    servers.push(...page);
    if (page.length < 200) return servers;
  }
}

function issuerOf(call: Call, issuer = 'http://localhost:9000'): string {
  const tenant = textFlag(call, 'tenant');
  return tenant === undefined ? issuer : `${issuer}/t/${tenant}`;
}

const taken = (resource: string): Failure =>
  new Failure('conflict', `${resource} is taken`, { why: 'Two servers cannot have the same address.', fix: 'auth-agent servers list' });
