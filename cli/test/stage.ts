/**
 * What tests of the client stand on: the authorization server in development mode, a protected MCP server, a command line in this process, and a person who
 * opens what is printed on stderr. Everything listens on free ports of this computer.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { startDevelopment, startNode } from 'auth-agent-mcp-server/node';
import { filesServer } from '../../examples/typescript-server/src/files-server.ts';
import { openFolder } from '../../examples/typescript-server/src/folder.ts';
import { decideDevice, signInAndDecide } from '../../server/test/browser.ts';
import { run } from '../src/run.ts';

export type Ran = { exit: number; out: string; err: string };
export type Stage = {
  folder: string;
  issuer: string;
  mcpUrl: string;
  /**
   * Runs words; `visit` is what happens with the printed address, by default testuser allows and the browser goes back. `said` is what stood there before it, `env`
   * what the terminal has besides.
   */
  cli(
    words: string[],
    given?: { input?: string; visit?: (url: string, type: (line: string) => void, said: string) => Promise<void>; env?: Record<string, string> },
  ): Promise<Ran>;
  stop(): Promise<void>;
};

const person = { username: 'testuser', password: 'testpass', decision: 'allow' } as const;

/** Lets testuser allow, and takes the browser back to the client. */
export async function allow(url: string): Promise<void> {
  await fetch(await signInAndDecide(url, person));
}

/** Signs testuser in at the page of devices, enters the code that stands in `said`, and decides. */
export async function enterCode(url: string, said: string, decision: 'allow' | 'deny' = 'allow'): Promise<void> {
  await decideDevice(url, /[B-Z]{4}-[B-Z]{4}/.exec(said)?.[0] ?? '', { ...person, decision });
}

/** `guard`: further options of the protected server. */
export async function openStage(guard: { dpopRequired?: boolean; dpopNonceSecret?: string } = {}): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'auth-agent-client-'));
  const log = { info() {}, warn() {}, error: console.error };
  const authServer = await startDevelopment({ port: 0, ephemeral: true, log });
  let app: { fetch(request: Request): Response | Promise<Response> };
  const mcpServer = await startNode({ fetch: (request) => app.fetch(request), port: 0, host: 'localhost', log });
  const mcpUrl = `http://localhost:${mcpServer.port}/mcp`;
  const scopes = ['files:read', 'files:write', 'files:delete'];
  const { server_id: serverId } = await post(authServer.issuer, '/api/servers', { server_url: mcpUrl, server_name: 'Files', scopes });
  const { key_secret: apiKey } = await post(authServer.issuer, `/api/servers/${serverId}/keys`, { name: 'test' });
  app = filesServer(await openFolder(join(folder, 'files')), { serverId, apiKey, authServerUrl: authServer.issuer, cacheTtl: 0, ...guard });

  const env = { LANG: 'C.UTF-8', AUTH_AGENT_CLIENT_STORE: join(folder, 'credentials.json') };
  return {
    folder,
    issuer: authServer.issuer,
    mcpUrl,
    cli: (words, { input = '', visit = allow, env: more = {} } = {}) => runWith(words, { env: { ...env, ...more }, input, visit }),
    async stop() {
      await mcpServer.stop({ drainSeconds: 0 });
      await authServer.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

type Given = { env: Record<string, string>; input: string; visit(url: string, type: (line: string) => void, said: string): Promise<void> };

async function runWith(words: string[], { env, input, visit }: Given): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []];
  const stdin = Object.assign(new PassThrough(), { isTTY: false });
  stdin.write(input);
  const visits: Promise<void>[] = [];
  const heard = (text: string): void => {
    err.push(text);
    const address = /^(https?:\/\/\S+)$/m.exec(text)?.[1];
    if (address !== undefined) visits.push(visit(address, (line) => stdin.write(`${line}\n`), text));
  };
  if (!words.includes('shell')) stdin.end();
  const terminal = { env, stdin, stdout: { write: (text: string) => out.push(text) }, stderr: { write: heard }, untilStopped: async () => 'SIGINT' as const };
  const exit = await run(words, terminal);
  await Promise.all(visits);
  return { exit, out: out.join(''), err: err.join('') };
}

async function post(issuer: string, route: string, body: object): Promise<{ server_id: string; key_secret: string }> {
  const response = await fetch(issuer + route, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  return response.json() as Promise<{ server_id: string; key_secret: string }>;
}
