/**
 * A connection to an MCP server with the official client, over stdio, SSE or streamable HTTP, in whichever protocol revision the server speaks.
 */
import { Client, SSEClientTransport, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Failure } from '../exit-codes.ts';
import { safe } from '../terminal.ts';
import { version } from '../version.ts';
import type { Session } from './session.ts';

export type Connection = {
  /** Does something with the client; what fails says what to do. */
  use<T>(act: (client: Client, options: { timeout: number }) => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

/** A request may have to wait for the person to sign in once more. */
const timeout = 6 * 60_000;

/** Connects over HTTP with the token of `session`. */
export function connectHttp(url: URL, session: Session, { kind = 'http', revision = 'auto' }: { kind?: 'http' | 'sse'; revision?: 'auto' | 'legacy' } = {}) {
  const transport = kind === 'sse' ? new SSEClientTransport(url, { fetch: session.fetch }) : new StreamableHTTPClientTransport(url, { fetch: session.fetch });
  return connect(transport, {
    takeFailure: session.takeFailure,
    about: url.href,
    revision: kind === 'sse' ? 'legacy' : revision,
    fix: 'Is this the address of an MCP server?',
  });
}

/** Starts a program, without a shell, and gives it the token in AUTH_AGENT_ACCESS_TOKEN: arguments could be read by every process. */
export function connectStdio([command, ...args]: [string, ...string[]], token: string | undefined): Promise<Connection> {
  const env = { ...getDefaultEnvironment(), ...(token === undefined ? {} : { AUTH_AGENT_ACCESS_TOKEN: token }) };
  const transport = new StdioClientTransport({ command, args, env, stderr: 'pipe' });
  let said = '';
  transport.stderr?.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString('utf8')}`.slice(-2000);
  });
  const takeFailure = () => {
    const why = said.trim().split('\n').slice(-5).map(safe).join('\n');
    said = '';
    return why === '' ? undefined : new Failure('failed', `${command} failed`, { why });
  };
  return connect(transport, { takeFailure, about: command, revision: 'legacy', fix: 'Check "command" of this server, and run it by hand once' });
}

async function connect(
  transport: Transport,
  { takeFailure, about, revision, fix }: { takeFailure(): Failure | undefined; about: string; revision: 'auto' | 'legacy'; fix: string },
): Promise<Connection> {
  const client = new Client({ name: 'auth-agent', version }, revision === 'auto' ? { versionNegotiation: { mode: 'auto' } } : {});
  const use: Connection['use'] = async (act) => {
    takeFailure();
    try {
      return await act(client, { timeout });
    } catch (error) {
      const deeper = takeFailure() ?? (error instanceof Failure ? error : undefined);
      if (deeper) throw deeper;
      throw new Failure('failed', `${safe(about)} did not do it`, {
        why: error instanceof Error ? safe(error.message).slice(0, 500) : undefined,
        cause: error,
      });
    }
  };
  try {
    await use((one) => one.connect(transport, { timeout }));
  } catch (error) {
    await transport.close().catch(() => {});
    if (error instanceof Failure && error.fix === undefined) throw new Failure(error.exit, error.message, { why: error.why, fix, cause: error });
    throw error;
  }
  return { use, close: () => client.close() };
}
