/**
 * What a command asks a person: a password that does not show, a name typed to confirm. Without a terminal nothing is asked.
 */
import { readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Call, textFlag } from './command.ts';
import { Failure } from './exit-codes.ts';

/** A password from `--password-file`, AUTH_AGENT_PASSWORD_FILE, a pipe with `--password-stdin`, or a prompt. Never an argument. */
export async function readPassword(call: Call): Promise<string> {
  const file = textFlag(call, 'passwordFile') ?? call.terminal.env.AUTH_AGENT_PASSWORD_FILE;
  if (file !== undefined) return readFrom(file);
  if (call.flags.passwordStdin === true) return (await text(call.terminal.stdin)).replace(/\r?\n$/, '');
  if (!call.terminal.stdin.isTTY) {
    throw new Failure('usage', 'A password is needed', {
      why: 'There is no terminal to ask at, and passwords are never arguments.',
      fix: '--password-file <file>, or --password-stdin and a pipe',
    });
  }
  const password = await askHidden(call, 'Password: ');
  if (password !== (await askHidden(call, 'Once more: '))) throw new Failure('failed', 'The two passwords differ', { fix: 'Run the command again' });
  return password;
}

/** The passphrase of a backup from `--passphrase-file` or AUTH_AGENT_BACKUP_PASSPHRASE_FILE; undefined when neither is given. */
export function readPassphrase(call: Call): string | undefined {
  const file = textFlag(call, 'passphraseFile') ?? call.terminal.env.AUTH_AGENT_BACKUP_PASSPHRASE_FILE;
  if (file === undefined) return undefined;
  const passphrase = readFrom(file);
  if (passphrase.length < 12)
    throw new Failure('usage', `The passphrase in ${file} is shorter than 12 characters`, { fix: `openssl rand -base64 24 > ${file}` });
  return passphrase;
}

/** Asks to type `name` before something breaks. @throws {Failure} usage without a terminal and --yes, denied when something else was typed. */
export async function confirm(call: Call, { name, breaks }: { name: string; breaks: string }): Promise<void> {
  if (call.flags.yes === true) return;
  if (!call.terminal.stdin.isTTY) throw new Failure('usage', `${breaks}`, { why: 'There is no terminal to confirm at.', fix: 'Add --yes if you mean it' });
  call.terminal.stderr.write(`${breaks}\nType ${name} to continue: `);
  const typed = await oneLine(createInterface({ input: call.terminal.stdin }));
  if (typed.trim() !== name) throw new Failure('denied', 'Nothing was changed');
}

function readFrom(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new Failure('notFound', `The file ${file} cannot be read`, { fix: `ls -l ${file}`, cause });
  }
}

async function askHidden(call: Call, question: string): Promise<string> {
  call.terminal.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const answer = await oneLine(createInterface({ input: call.terminal.stdin, output: nowhere, terminal: true }));
  call.terminal.stderr.write('\n');
  return answer;
}

/** The next line; empty when the input ends. @throws {Failure} interrupted at Ctrl-C, which a terminal in raw mode does not make a signal of. */
function oneLine(lines: Interface): Promise<string> {
  return new Promise((resolve, reject) => {
    lines.once('line', resolve);
    lines.once('SIGINT', () => reject(new Failure('interrupted', 'Nothing was changed')));
    lines.once('close', () => resolve(''));
  }).finally(() => lines.close()) as Promise<string>;
}
