/**
 * Judges the commands that documents name, in ```sh blocks and in running text: each script, command of `auth-agent`, variable and path must exist. Answers
 * what is wrong with a command, or nothing.
 */
import { accessSync, constants, existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { everyCommandsFlags } from '../../cli/src/command.ts';
import { commands as commandLine } from '../../cli/src/commands/index.ts';
import { settings, variableOf } from '../../server/src/runtimes/settings.ts';
import { root } from './read.ts';

/** The single commands of a shell block, without comments. */
export function commandsOf(block: string): string[] {
  return block
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split('&&'))
    .map((command) => command.trim())
    .filter((command) => command !== '');
}

/** Whether a piece of inline code is a command that can be judged. */
export function isCommand(span: string): boolean {
  return /^(npm (run|start|test|ci)\b|node --|auth-agent [a-z]|\.ci\/|tools\/\S+\.sh)/.test(span);
}

/** Says what is wrong with a command. */
export function problemOf(command: string): string | undefined {
  const [program = '', ...words] = command.split(/\s+/);
  if (program === 'npm') return npmProblem(words);
  if (program === 'auth-agent') return commandLineProblem(words);
  if (program === 'node') return nodeProblem(words);
  if (program === 'uv') return uvProblem(words);
  if (program === 'export') return variableProblem(words[0] ?? '');
  if (program.includes('/')) return pathProblem(program, words);
  return `nobody here knows ${program}`;
}

function npmProblem(words: string[]): string | undefined {
  const [verb = '', script = ''] = words;
  const folder = optionOf(words, '-w') ?? optionOf(words, '--prefix') ?? '.';
  const manifest = join(root, folder, 'package.json');
  if (!existsSync(manifest)) return `${folder} is no package`;
  if (verb === 'ci') return existsSync(join(root, folder, 'package-lock.json')) ? undefined : `${folder} has no lock`;
  const name = verb === 'run' ? script : verb;
  const { scripts = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as { scripts?: Record<string, string> };
  if (scripts[name] === undefined) return `${folder}/package.json has no script ${name}`;
  if (name === 'cli' && words.includes('--')) return commandLineProblem(words.slice(words.indexOf('--') + 1));
  return undefined;
}

/** Every path or pattern must be that of a file. */
function nodeProblem(words: string[]): string | undefined {
  const main = words.indexOf('cli/src/main.ts');
  const paths = words.filter((word) => word.includes('/')).map((word) => word.replaceAll("'", ''));
  const missing = paths.find((path) => globSync(path, { cwd: root }).length === 0);
  if (missing) return `there is no ${missing}`;
  return main === -1 ? undefined : commandLineProblem(words.slice(main + 1));
}

/** Every path must be that of a file, and a class of tests must be in it. */
function uvProblem(words: string[]): string | undefined {
  if (words[0] !== 'run') return `uv ${words[0]} is in no document`;
  const paths = words.filter((word) => word.includes('/')).map((word) => word.replace(/^--cov=/, '').split('::'));
  const missing = paths.find(
    ([path = '', name]) => !existsSync(join(root, path)) || (name && !readFileSync(join(root, path), 'utf8').includes(`class ${name}:`)),
  );
  return missing && `there is no ${missing.join('::')}`;
}

function commandLineProblem(words: string[]): string | undefined {
  const [noun = '', verb = ''] = words;
  const command = commandLine.find(({ name }) => name === `${noun} ${verb}` || name === noun);
  if (!command) return `auth-agent has no command ${noun} ${verb}`;
  const flags = [...(command.flags ?? []), ...everyCommandsFlags];
  const unknown = words.filter((word) => word.startsWith('--')).find((word) => !flags.some(({ name }) => word.split('=')[0] === `--${name}`));
  return unknown && `auth-agent ${command.name} has no ${unknown}`;
}

function variableProblem(assignment: string): string | undefined {
  const [variable = ''] = assignment.split('=');
  return settings.some(({ name }) => variableOf(name) === variable) ? undefined : `${variable} is no setting`;
}

function pathProblem(program: string, words: string[]): string | undefined {
  try {
    accessSync(join(root, program), constants.X_OK);
  } catch {
    return `${program} cannot be run`;
  }
  return program === 'tools/postgres.sh' && words[0] === 'run' ? problemOf(words.slice(1).join(' ')) : undefined;
}

function optionOf(words: string[], option: string): string | undefined {
  const index = words.indexOf(option);
  return index === -1 ? undefined : words[index + 1];
}
