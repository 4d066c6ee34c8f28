/**
 * `mcp_config.json`: which MCP servers the shell knows and how it signs in there. The format is that of document "MCP OAuth Authentication Guide"; additions are
 * `url` for HTTP servers, `auth.resource` for a stdio server that stands for a registered address, and `auth.issuer`.
 */
import { readFileSync } from 'node:fs';
import { Failure } from '../exit-codes.ts';
import { safe } from '../terminal.ts';

export type ConfiguredAuth = {
  /** As the authorization server's metadata has it, byte for byte. Without it the issuer is found by the authorization URL. */
  issuer?: string;
  authorizationUrl: URL;
  tokenUrl: URL;
  clientId: string;
  clientSecret?: string;
  scope?: string;
  redirectUri?: string;
  resource?: string;
};
export type ConfiguredServer = { name: string; auth?: ConfiguredAuth } & (
  | { transport: 'stdio'; command: [string, ...string[]] }
  | { transport: 'sse' | 'http'; url: URL }
);

/** Reads the file. @throws {Failure} notFound, or usage that names the member and what it should be. */
export function readConfig(file: string): ConfiguredServer[] {
  const servers = parsed(file)['servers'];
  if (!Array.isArray(servers)) throw wrong(file, '"servers" is a list');
  const found = servers.map((one, index) => serverOf(one, `servers[${index}]`, file));
  const twice = found.find(({ name }, index) => found.findIndex((other) => other.name === name) !== index);
  if (twice) throw wrong(file, `two servers are called ${safe(twice.name)}`);
  return found;
}

type Members = Record<string, unknown>;

function parsed(file: string): Members {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Failure('notFound', `${file} cannot be read`, { fix: 'auth-agent shell --config <file>; examples/mcp_config.json is one to start from', cause });
  }
  try {
    return membersOf(JSON.parse(text)) ?? {};
  } catch (cause) {
    throw wrong(file, cause instanceof Error ? safe(cause.message) : 'it is not JSON');
  }
}

function serverOf(value: unknown, place: string, file: string): ConfiguredServer {
  const { name, transport, command, url, auth } = membersOf(value) ?? {};
  if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name)) throw wrong(file, `${place}.name is 1 to 64 letters, digits, dots and dashes`);
  const common = { name, ...(auth === undefined ? {} : { auth: authOf(auth, `${place}.auth`, file) }) };
  if (transport === 'stdio') {
    if (!isCommand(command)) throw wrong(file, `${place}.command is a list of words, the program first`);
    return { ...common, transport, command };
  }
  if (transport !== 'sse' && transport !== 'http') throw wrong(file, `${place}.transport is stdio, sse or http`);
  return { ...common, transport, url: urlOf(url, `${place}.url`, file) };
}

function authOf(value: unknown, place: string, file: string): ConfiguredAuth {
  const members = membersOf(value) ?? {};
  const text = (name: string): string | undefined => {
    const one = members[name];
    if (one === undefined || (typeof one === 'string' && one !== '')) return one;
    throw wrong(file, `${place}.${name} is text`);
  };
  if (members['type'] !== 'oauth') throw wrong(file, `${place}.type is "oauth"`);
  const clientId = text('client_id');
  if (clientId === undefined) throw wrong(file, `${place}.client_id is needed; leave "auth" out to have the client register itself`);
  const issuer = text('issuer');
  if (issuer !== undefined) urlOf(issuer, `${place}.issuer`, file);
  return {
    issuer,
    authorizationUrl: urlOf(members['authorization_url'], `${place}.authorization_url`, file),
    tokenUrl: urlOf(members['token_url'], `${place}.token_url`, file),
    clientId,
    clientSecret: text('client_secret'),
    scope: text('scope'),
    redirectUri: text('redirect_uri'),
    resource: text('resource'),
  };
}

function urlOf(value: unknown, place: string, file: string): URL {
  if (typeof value !== 'string' || !/^https?:\/\//.test(value) || !URL.canParse(value)) throw wrong(file, `${place} is an http or https URL`);
  return new URL(value);
}

const isCommand = (value: unknown): value is [string, ...string[]] =>
  Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === 'string' && word !== '');

function membersOf(value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined;
}

function wrong(file: string, what: string): Failure {
  return new Failure('usage', `${file}: ${what}`, { fix: 'Compare it with examples/mcp_config.json' });
}
