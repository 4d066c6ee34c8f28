/**
 * What a command is: a value with its words, flags, examples and act, so that help, checks and suggestions come from the same place as the doing.
 */
import { parseArgs } from 'node:util';
import { flagOf, nearest, type Setting, settings } from 'auth-agent-mcp-server/node';
import { Failure } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

export type Flag = {
  /** As typed, without dashes: `redirect-uri`. */
  name: string;
  kind: 'text' | 'switch' | 'list';
  /** What stands for the value in help. */
  value?: string;
  about: string;
};
export type FlagValues = Record<string, string | boolean | string[] | undefined>;
export type Call = { args: string[]; flags: FlagValues; terminal: Terminal };
/** `data` is what --json prints; `lines` go to stdout otherwise, `notes` to stderr. */
export type Result = { data: unknown; lines?: string[]; notes?: string[]; exit?: 'ok' | 'checksFailed' | 'signInNeeded' };
export type Command = {
  /** `servers add` */
  name: string;
  about: string;
  /** What stands for the arguments in help; `<x>` must be there, `[x]` may. */
  usage?: string;
  flags?: Flag[];
  examples: string[];
  /** Not in the list of --help: a machine calls it. */
  hidden?: boolean;
  run(call: Call): Promise<Result>;
};

export const everyCommandsFlags: Flag[] = [
  { name: 'json', kind: 'switch', about: 'print {"v":1,"ok":true,"data":…} and nothing else' },
  { name: 'color', kind: 'text', value: 'auto|always|never', about: 'colour; NO_COLOR and FORCE_COLOR are honoured' },
  { name: 'help', kind: 'switch', about: 'this text' },
];

/** Flags of settings, for commands that read the configuration. A secret itself is never a flag: every process of the machine could read it. */
export const settingFlags = (names?: string[]): Flag[] => [
  { name: 'config', kind: 'text', value: 'file', about: 'configuration file (auth-agent.config.json)' },
  ...settings.filter(({ name }) => names?.includes(name) ?? true).flatMap(flagsOfSetting),
];

/** Where commands find the database: the same settings as `start`. */
export const databaseFlags: Flag[] = [
  ...settingFlags(['databaseUrl', 'issuer', 'secret']),
  { name: 'tenant', kind: 'text', value: 'slug', about: 'work on this tenant instead of the root one' },
];

function flagsOfSetting({ name, kind, about, secret }: Setting): Flag[] {
  const flag: Flag = { name: flagOf(name), kind: kind === 'list' ? 'list' : 'text', value: kind === 'switch' ? 'true|false' : kind, about };
  const fromFile: Flag = { name: `${flagOf(name)}-file`, kind: 'text', value: 'file', about: `file that holds it` };
  if (!secret) return [flag];
  return name === 'databaseUrl' ? [flag, fromFile] : [{ ...fromFile, about: `file that holds it: ${about}` }];
}

/** Reads the words after a command's name. @throws {Failure} usage, with what was probably meant. */
export function parseCall(command: Command, words: string[], terminal: Terminal): Call {
  const flags = [...(command.flags ?? []), ...everyCommandsFlags];
  const options = Object.fromEntries([
    ...flags.map(({ name, kind }) => [name, { type: kind === 'switch' ? ('boolean' as const) : ('string' as const), multiple: kind === 'list' }]),
    ['help', { type: 'boolean' as const, short: 'h' }],
  ]);
  const { tokens, positionals } = parseArgs({ args: words, options, strict: false, tokens: true });
  const values: FlagValues = {};
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const flag = flags.find(({ name }) => name === token.name);
    if (!flag) throw unknownFlag(token.rawName, flags, command);
    if ((flag.kind === 'switch') !== (token.value === undefined)) throw badValue(flag, command);
    values[camel(flag.name)] = flagValue(flag, token.value, values[camel(flag.name)]);
  }
  if (values.help !== true) checkArguments(command, positionals);
  return { args: positionals, flags: values, terminal };
}

/** The text of a flag, if it was given. */
export function textFlag({ flags }: Call, name: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' ? value : undefined;
}

export function listFlag({ flags }: Call, name: string): string[] {
  const value = flags[name];
  return Array.isArray(value) ? value : [];
}

function flagValue({ kind }: Flag, value: string | undefined, before: FlagValues[string]): FlagValues[string] {
  if (kind === 'switch') return true;
  return kind === 'list' ? [...(Array.isArray(before) ? before : []), value ?? ''] : value;
}

const camel = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

const secretFlags = /^--(secret|password|client-secret|key|token)$/;

function unknownFlag(rawName: string, flags: Flag[], { name }: Command): Failure {
  if (secretFlags.test(rawName)) {
    return new Failure('usage', `${rawName} is never taken from the command line`, {
      why: 'Every process of this machine can read the arguments of every other, and shells keep them.',
      fix: `${rawName}-file <file>, or the variable of the same name; auth-agent ${name} --help`,
    });
  }
  if (!rawName.startsWith('--'))
    return new Failure('usage', `Unknown flag ${rawName}`, { fix: `auth-agent ${name} --help; a value that begins with a dash goes behind --` });
  const near = nearest(
    rawName.replace(/^-+/, ''),
    flags.map((flag) => flag.name),
  );
  return new Failure('usage', `Unknown flag ${rawName}`, { fix: near === undefined ? `auth-agent ${name} --help` : `Did you mean --${near}?` });
}

function badValue({ name, kind, value }: Flag, command: Command): Failure {
  const what = kind === 'switch' ? `--${name} takes no value` : `--${name} needs a value: --${name} <${value ?? 'text'}>`;
  return new Failure('usage', what, { fix: `auth-agent ${command.name} --help` });
}

function checkArguments({ name, usage = '' }: Command, given: string[]): void {
  const required = usage.match(/<[^>]+>/g) ?? [];
  const optional = usage.match(/\[[^\]]+\]/g) ?? [];
  const missing = required[given.length];
  if (missing) throw new Failure('usage', `${missing} is missing`, { fix: `auth-agent ${name} ${usage}` });
  if (given.length > required.length + optional.length)
    throw new Failure('usage', `Too many arguments: ${given.slice(required.length + optional.length).join(' ')}`, {
      fix: `auth-agent ${name} ${usage}`.trim(),
    });
}
