/**
 * Which MCP server a command means, and as which client it goes there: the words that `try` and `login` share.
 */
import { readFileSync } from 'node:fs';
import { type Call, textFlag } from '../command.ts';
import { Failure } from '../exit-codes.ts';
import { safe } from '../terminal.ts';
import type { ConfiguredClient } from './registration.ts';

export const targetFlags = [
  { name: 'scope', kind: 'text' as const, value: 'text', about: 'ask for these scopes when the server names none' },
  { name: 'client-id', kind: 'text' as const, value: 'id', about: 'a client that is registered there already' },
  { name: 'client-secret-file', kind: 'text' as const, value: 'file', about: 'file that holds its secret' },
];

/** Reads the address of an MCP server. @throws {Failure} usage */
export function targetUrl(text: string, example: string | undefined): URL {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return new URL(text);
  throw new Failure('usage', text === '' ? 'The address of an MCP server is missing' : `${safe(text)} is no http(s) URL`, { fix: example });
}

/** The client of `--client-id`, if there is one. @throws {Failure} notFound when the file of its secret cannot be read. */
export function configuredClient(call: Call): ConfiguredClient | undefined {
  const clientId = textFlag(call, 'clientId');
  const secretFile = textFlag(call, 'clientSecretFile');
  return clientId === undefined ? undefined : { clientId, clientSecret: secretFile === undefined ? undefined : secretIn(secretFile) };
}

function secretIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new Failure('notFound', `The file ${file} cannot be read`, { fix: `ls -l ${file}`, cause });
  }
}
