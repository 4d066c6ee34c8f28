/**
 * Starts workerd with the server in it, once for all tests of a run, when AUTH_AGENT_TEST_RUNTIME=workerd. Needs `npm ci --prefix tools/runtimes`.
 */
import { after } from 'node:test';
import type { ServerOptions } from '../../src/options.ts';
import type { D1Database } from '../../src/storage/drivers/d1.ts';
import type { Told } from './entry.ts';
import { bundle, miniflare, startWorkerd } from './miniflare.ts';
import { type Call, type Callable, outcomeOf, unpacked } from './wire.ts';

export type Workerd = {
  /** A database of its own, empty. */
  database(): Promise<{ name: string; binding: D1Database }>;
  /** Lets a server in workerd call functions of this process. */
  offer(server: string, functions: Partial<Pick<ServerOptions, Callable>>): void;
  /** Asks the server in workerd; the log lines that came of it go to `logged`. */
  ask(request: Request, told: Told, logged: string[]): Promise<Response>;
  close(): Promise<void>;
};

const DATABASES = 1000;
let started: Promise<Workerd> | undefined;

export const wantsWorkerd = process.env.AUTH_AGENT_TEST_RUNTIME === 'workerd';

// A child process keeps this one alive: without this, a run in which every test has passed never ends.
if (wantsWorkerd) after(async () => (await started)?.close());

export function workerd(): Promise<Workerd> {
  started ??= start();
  return started;
}

async function start(): Promise<Workerd> {
  const offered = new Map<string, Partial<Pick<ServerOptions, Callable>>>();
  const postgres = process.env.AUTH_AGENT_TEST_DATABASE === 'postgres' ? process.env.AUTH_AGENT_TEST_POSTGRES : undefined;
  const names = Array.from({ length: postgres ? 0 : DATABASES }, (_, index) => `DB${index}`);
  const called = async (request: Request) => {
    const { server, name, args } = unpacked(await request.text()) as Call;
    const act = offered.get(server)?.[name] as ((...args: unknown[]) => unknown) | undefined;
    return new (miniflare().Response)(await outcomeOf(() => act?.(...args)));
  };
  const runtime = await startWorkerd(bundle(new URL('./entry.ts', import.meta.url).pathname), {
    d1Databases: Object.fromEntries(names.map((name) => [name, name])),
    ...(postgres ? { hyperdrives: { HYPERDRIVE: withPassword(postgres) } } : {}),
    serviceBindings: { OUTSIDE: called },
  });
  let used = 0;
  return {
    close: () => runtime.dispose(),
    async database() {
      const name = names[used++];
      if (name === undefined) throw new Error(`more than ${DATABASES} databases: raise the number`);
      return { name, binding: await runtime.getD1Database(name) };
    },
    offer: (server, functions) => void offered.set(server, functions),
    async ask(request, told, logged) {
      // fetch has headers of its own mind, so those of the story travel inside.
      const headers = { 'x-test': encodeURIComponent(JSON.stringify({ ...told, headers: [...request.headers] })) };
      const body = request.method === 'GET' || request.method === 'HEAD' ? undefined : await request.arrayBuffer();
      const answer = await runtime.dispatchFetch(request.url, { method: request.method, headers, body, redirect: 'manual' });
      logged.push(...(JSON.parse(decodeURIComponent(answer.headers.get('x-test-log') ?? '%5B%5D')) as string[]));
      answer.headers.delete('x-test-log');
      const empty = [101, 204, 205, 304].includes(answer.status);
      const headersBack: [string, string][] = [...answer.headers].filter(([name]) => name !== 'set-cookie');
      for (const cookie of answer.headers.getSetCookie()) headersBack.push(['set-cookie', cookie]);
      return new Response(empty ? null : await answer.arrayBuffer(), { status: answer.status, headers: headersBack });
    },
  };
}

/** A Hyperdrive wants one, and a cluster that trusts everybody on this machine does not ask for it. */
function withPassword(address: string): string {
  const url = new URL(address);
  url.password ||= 'none';
  return url.href;
}
