/**
 * The texts of --help, made from the commands themselves.
 */
import { type Command, everyCommandsFlags, type Flag } from './command.ts';
import { exitCodes } from './exit-codes.ts';

export function helpOfAll(all: readonly Command[]): string {
  const commands = all.filter(({ hidden }) => hidden !== true);
  const widest = Math.max(...commands.map(({ name }) => name.length));
  return `Auth-Agent MCP: an authorization server for MCP servers

Usage
  auth-agent <command> [flags]

Commands
${commands.map(({ name, about }) => `  ${name.padEnd(widest)}  ${about}`).join('\n')}

Begin
  auth-agent dev                      a server with demo data on this computer
  auth-agent start                    the real one; reads flags, AUTH_AGENT_*, auth-agent.config.json
  auth-agent <command> --help         flags and examples

Exit codes
${Object.entries(exitCodes)
  .map(([name, code]) => `  ${String(code).padEnd(4)} ${meanings[name as keyof typeof exitCodes]}`)
  .join('\n')}
`;
}

const meanings: Record<keyof typeof exitCodes, string> = {
  ok: 'ok',
  failed: 'failed',
  usage: 'the command was not understood, or a setting is missing',
  signInNeeded: 'sign-in needed',
  notFound: 'not found',
  conflict: 'exists already, or is in the way',
  refused: 'refused by policy or permission',
  unreachable: 'database or server unreachable',
  timedOut: 'timed out',
  checksFailed: 'checks failed',
  denied: 'denied by the person',
  interrupted: 'interrupted',
};

/** Help for a word that begins several commands, such as `servers`. */
export function helpOfGroup(word: string, commands: readonly Command[]): string {
  const lines = commands.map(({ name, usage = '', about }) => `  auth-agent ${`${name} ${usage}`.trimEnd().padEnd(34)}  ${about}`);
  return `auth-agent ${word}\n\n${lines.join('\n')}\n\nMore: auth-agent ${commands[0]?.name} --help\n`;
}

export function helpOf({ name, about, usage = '', flags = [], examples }: Command): string {
  const own = flags.filter(({ name: flag }) => !everyCommandsFlags.some((one) => one.name === flag));
  return `auth-agent ${name}: ${about}

Usage
  auth-agent ${`${name} ${usage}`.trimEnd()} [flags]

Flags
${[...own, ...everyCommandsFlags].map(flagLine).join('\n')}

Examples
${examples.map((example) => `  ${example}`).join('\n')}
`;
}

function flagLine({ name, kind, value, about }: Flag): string {
  const form = `--${name}${kind === 'switch' ? '' : ` <${value ?? 'text'}>`}`;
  return `  ${form.padEnd(36)} ${about}${kind === 'list' ? '; may be repeated' : ''}`;
}
