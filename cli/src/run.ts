/**
 * One run of the command line: finds the command, parses, acts, prints, and says with which code to exit. Every failure is printed here and nowhere else.
 */
import { nearest } from 'auth-agent-mcp-server/node';
import { type Call, type Command, parseCall, type Result } from './command.ts';
import { commands } from './commands/index.ts';
import { type Exit, exitCodes, Failure } from './exit-codes.ts';
import { failureOf } from './failure-of.ts';
import { helpOf, helpOfAll, helpOfGroup } from './help.ts';
import { type ColourWish, labelled, styleOf, type Terminal } from './terminal.ts';
import { version } from './version.ts';

/** Runs the words of a command line; resolves to the exit code. Never throws. */
export async function run(words: string[], terminal: Terminal): Promise<number> {
  const json = words.includes('--json');
  const wish = /^--color=(always|never)$/m.exec(words.join('\n'))?.[1] as ColourWish | undefined;
  try {
    return await dispatch(words, { terminal, json, wish });
  } catch (error) {
    return printFailure(failureOf(error), { terminal, json, wish });
  }
}

type Manner = { terminal: Terminal; json: boolean; wish?: ColourWish };

async function dispatch(words: string[], manner: Manner): Promise<number> {
  const { terminal } = manner;
  // Switches that may stand before the command.
  const first = words.findIndex((word) => !word.startsWith('-'));
  const leading = first === -1 ? words : words.slice(0, first);
  const rest = first === -1 ? [] : words.slice(first);
  if (leading.includes('--version') && rest.length === 0) return print({ data: { version }, lines: [version] }, manner);
  if (rest.length === 0) return printHelp(helpOfAll(commands), manner, leading.some((word) => word === '--help' || word === '-h') ? 'ok' : 'usage');
  if (rest[0] === 'help') return dispatch([...rest.slice(1), '--help'], manner);

  const { command, after } = find(rest);
  if (!command) return group(rest, manner);
  const call: Call = parseCall(command, [...leading, ...after], terminal);
  if (call.flags.help === true) return printHelp(helpOf(command), manner);
  return print(await command.run(call), manner);
}

function find(words: string[]): { command?: Command; after: string[] } {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const command = commands.find((one) => one.name === name);
    if (command) return { command, after: words.slice(length) };
  }
  return { after: words };
}

/** A word that begins commands is answered with them; any other with what was probably meant. */
function group(words: string[], manner: Manner): number {
  const [word = ''] = words;
  const members = commands.filter(({ name }) => name.startsWith(`${word} `));
  const second = words[1]?.startsWith('-') ? undefined : words[1];
  if (members.length > 0 && second === undefined)
    return printHelp(helpOfGroup(word, members), manner, words.some((one) => one === '--help' || one === '-h') ? 'ok' : 'usage');
  const given = second === undefined ? word : `${word} ${second}`;
  const near = nearest(given, [...commands.map(({ name }) => name), ...new Set(commands.map(({ name }) => name.split(' ')[0] ?? ''))]);
  throw new Failure('usage', `There is no command ${given}`, { fix: near === undefined ? 'auth-agent --help' : `Did you mean auth-agent ${near}?` });
}

function print({ data, lines = [], notes = [], exit = 'ok' }: Result, { terminal, json }: Manner): number {
  if (json) terminal.stdout.write(`${JSON.stringify({ v: 1, ok: exit === 'ok', data })}\n`);
  else {
    for (const line of lines) terminal.stdout.write(`${line}\n`);
    for (const note of notes) terminal.stderr.write(`${note}\n`);
  }
  return exitCodes[exit];
}

function printHelp(text: string, { terminal, json }: Manner, exit: Exit = 'ok'): number {
  if (json) terminal.stdout.write(`${JSON.stringify({ v: 1, ok: exit === 'ok', data: { help: text } })}\n`);
  else (exit === 'ok' ? terminal.stdout : terminal.stderr).write(text);
  return exitCodes[exit];
}

function printFailure({ exit, message, why, fix }: Failure, { terminal, json, wish }: Manner): number {
  if (json) terminal.stdout.write(`${JSON.stringify({ v: 1, ok: false, error: { code: exit, message, why, fix } })}\n`);
  else {
    terminal.stderr.write(`${styleOf(terminal.stderr, terminal.env, wish).fail(message)}\n`);
    if (why) terminal.stderr.write(`${labelled('Why', why)}\n`);
    if (fix) terminal.stderr.write(`${labelled('Fix', fix)}\n`);
  }
  return exitCodes[exit];
}
