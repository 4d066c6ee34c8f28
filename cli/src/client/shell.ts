/**
 * The commands of the interactive client, apart from any terminal: a line in, lines out. One connection per server of the configuration.
 */
import { Failure } from '../exit-codes.ts';
import { safe } from '../terminal.ts';
import type { ConfiguredServer } from './config.ts';
import { configuredIssuer } from './configured-issuer.ts';
import { configuredTokens } from './configured-tokens.ts';
import { type Connection, connectHttp, connectStdio } from './connection.ts';
import { contentLines } from './content.ts';
import { guardedFetch } from './guarded-fetch.ts';
import type { Person } from './person.ts';
import { openSession } from './session.ts';
import type { CredentialStore } from './store.ts';

export type ShellOptions = {
  servers: readonly ConfiguredServer[];
  store: CredentialStore;
  person: Person;
  say(line: string): void;
  allowPrivate?: boolean;
  documentUrl?: string;
  /** Seconds. */
  now(): number;
};
export type Shell = {
  /** Does what a line says. @throws {Failure} with what to do. */
  run(line: string): Promise<'exit' | undefined>;
  /** What the line may become. */
  complete(line: string): string[];
  close(): Promise<void>;
};

const help = [
  '/mcp list                          your servers',
  '/mcp connect NAME                  connect; signs in when needed',
  '/mcp tools NAME                    what the server can do',
  '/mcp call NAME TOOL {"json": …}    call a tool',
  '/mcp resources NAME                what the server has',
  '/mcp read NAME URI                 read one of it',
  '/mcp disconnect NAME               end the connection; the sign-in stays',
  '/help  /exit',
];
const verbs = ['list', 'connect', 'tools', 'call', 'resources', 'read', 'disconnect'];

export function openShell(options: ShellOptions): Shell {
  const { servers, say } = options;
  const connections = new Map<string, Connection>();
  const tools = new Map<string, string[]>();

  function serverOf(name: string): ConfiguredServer {
    const server = servers.find((one) => one.name === name);
    if (server) return server;
    throw new Failure('notFound', name === '' ? 'Which server?' : `There is no server ${safe(name)}`, {
      fix: `Known: ${servers.map((one) => one.name).join(', ') || 'none'}`,
    });
  }

  function connectionOf(name: string): Connection {
    const connection = connections.get(serverOf(name).name);
    if (connection) return connection;
    throw new Failure('notFound', `${name} is not connected`, { fix: `/mcp connect ${name}` });
  }

  async function connect(name: string): Promise<void> {
    const server = serverOf(name);
    await disconnect(name);
    connections.set(name, server.transport === 'stdio' ? await startProgram(server, options) : await reach(server, options));
    say(`Connected to ${name}`);
  }

  async function disconnect(name: string): Promise<void> {
    await connections.get(name)?.close();
    connections.delete(name);
  }

  const acts: Record<string, (name: string, rest: string) => Promise<void>> = {
    async list() {
      for (const { name, transport } of servers) say(`${name}  ${transport}${connections.has(name) ? '  connected' : ''}`);
    },
    connect,
    async disconnect(name) {
      connectionOf(name);
      await disconnect(name);
      say(`Disconnected from ${name}`);
    },
    async tools(name) {
      const found = await connectionOf(name).use((client, given) => client.listTools(undefined, given));
      tools.set(
        name,
        found.tools.map((one) => safe(one.name)),
      );
      for (const one of found.tools) say(`${safe(one.name)}  ${safe((one.description ?? '').split('\n')[0] ?? '')}`.trimEnd());
    },
    async call(name, rest) {
      const [, tool = '', json = ''] = /^(\S*)\s*([\s\S]*)$/.exec(rest) ?? [];
      const connection = connectionOf(name);
      if (tool === '') throw new Failure('usage', 'Which tool?', { fix: `/mcp tools ${name}` });
      const input = inputOf(json, `/mcp call ${name} ${safe(tool)} {"name": "value"}`);
      const result = await connection.use((client, given) => client.callTool({ name: tool, arguments: input }, given));
      if (result.isError) throw new Failure('failed', `${safe(tool)} says no`, { why: contentLines(result.content).join('\n') });
      for (const line of contentLines(result.content)) say(line);
    },
    async resources(name) {
      const connection = connectionOf(name);
      const { resources } = await connection.use((client, given) => client.listResources(undefined, given));
      const { resourceTemplates } = await connection.use((client, given) => client.listResourceTemplates(undefined, given));
      for (const one of resources) say(`${safe(one.uri)}  ${safe(one.name)}`);
      for (const one of resourceTemplates) say(`${safe(one.uriTemplate)}  ${safe(one.name)}`);
    },
    async read(name, rest) {
      const connection = connectionOf(name);
      if (rest === '') throw new Failure('usage', 'Read what?', { fix: `/mcp resources ${name}` });
      const { contents } = await connection.use((client, given) => client.readResource({ uri: rest }, given));
      for (const line of contentLines(contents)) say(line);
    },
  };

  return {
    async run(line) {
      const [, word = '', verb = '', name = '', rest = ''] = /^\s*(\S*)\s*(\S*)\s*(\S*)\s*([\s\S]*?)\s*$/.exec(line) ?? [];
      if (word === '') return undefined;
      if (word === '/exit' || word === '/quit') return 'exit';
      if (word === '/help') for (const one of help) say(one);
      else if (word !== '/mcp')
        throw new Failure('usage', word.startsWith('/') ? `There is no command ${safe(word)}` : 'There is no model in this shell, so it takes commands only', {
          fix: '/help',
        });
      else {
        const act = Object.hasOwn(acts, verb) ? acts[verb] : undefined;
        if (!act) throw new Failure('usage', `There is no command /mcp ${safe(verb)}`, { fix: '/help' });
        await act(name, rest);
      }
      return undefined;
    },
    complete(line) {
      const words = line.split(/\s+/);
      const named = words.length > 3 && words[1] === 'call' ? (tools.get(words[2] ?? '') ?? []).map((tool) => `/mcp call ${words[2]} ${tool} `) : [];
      const all = [
        '/help',
        '/exit',
        ...verbs.flatMap((verb) => (verb === 'list' ? ['/mcp list'] : servers.map(({ name }) => `/mcp ${verb} ${name}`))),
        ...named,
      ];
      return all.filter((one) => one.startsWith(line));
    },
    async close() {
      for (const name of [...connections.keys()]) await disconnect(name);
    },
  };
}

/** A program gets its token when it starts; a renewed one reaches it only when it starts again. */
async function startProgram(server: ConfiguredServer & { transport: 'stdio' }, { store, person, say, now }: ShellOptions): Promise<Connection> {
  const { name, auth, command } = server;
  if (!auth) return connectStdio(command, undefined);
  const tokens = await configuredTokens({ name, auth, store, openReception: () => person.openReception([], auth.redirectUri), now: now() });
  if (tokens.expiresAt !== undefined)
    say(`The token lasts ${Math.max(1, Math.floor((tokens.expiresAt - now()) / 60))} minutes; after that: /mcp connect ${name}`);
  return connectStdio(command, tokens.accessToken);
}

async function reach(server: ConfiguredServer & { url: URL; transport: 'sse' | 'http' }, options: ShellOptions): Promise<Connection> {
  const { url, auth, transport } = server;
  const { store, person, say, allowPrivate, documentUrl, now } = options;
  const configured = auth && {
    clientId: auth.clientId,
    clientSecret: auth.clientSecret,
    issuer: await configuredIssuer(auth, guardedFetch({ home: auth.authorizationUrl, allowPrivate })),
  };
  const session = openSession(url, {
    store,
    configured,
    scope: auth?.scope,
    openReception: (ports) => person.openReception(ports, auth?.redirectUri),
    device: person.device,
    documentUrl,
    allowPrivate,
    mayAsk: true,
    tell: (step, text) => {
      if (step === 'allowed' || step === 'token') say(text);
    },
    now,
  });
  await session.open();
  return connectHttp(url, session, { kind: transport });
}

function inputOf(text: string, fix: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new Failure('usage', 'The input is not a JSON object', { fix });
}
