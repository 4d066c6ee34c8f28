/**
 * The Worker that people deploy, made for a story: a header says which server with which database, options and time. Nothing of this file is in their bundle.
 */
import { setTimeout } from 'node:timers/promises';
import type { LogFields } from '../../src/context.ts';
import type { ServerOptions } from '../../src/options.ts';
import { createWorker, openPostgres, type WorkerBindings } from '../../src/runtimes/workers.ts';
import type { D1Database } from '../../src/storage/drivers/d1.ts';
import { type Call, type Callable, packed, readOutcome } from './wire.ts';

/** What the harness sends along with each request. `database` is the name of a D1 binding, or what follows `?` in the address of a Postgres schema. */
export type Told = {
  server: string;
  database: string;
  now: number;
  address: string;
  options: Partial<ServerOptions>;
  headers?: [string, string][];
  /** Options that are functions: they are called in the process of the story. */
  functions: Callable[];
  /** Instead of a request. */
  act?: 'maintain' | 'settle';
};
type Outside = { fetch(address: string, init: RequestInit): Promise<Response> };
type Bindings = { OUTSIDE: Outside } & Pick<WorkerBindings, 'ASSETS' | 'HYPERDRIVE'> & Record<string, unknown>;
/** `background`: works that go on after their answers. */
type Made = { worker: ReturnType<typeof createWorker>; told: Told; logged: string[]; background: number };

const made = new Map<string, Made>();

export default {
  async fetch(request: Request, bindings: Bindings, context: { waitUntil(work: Promise<unknown>): void }): Promise<Response> {
    const told = JSON.parse(decodeURIComponent(request.headers.get('x-test') ?? '')) as Told;
    const one = made.get(told.server) ?? make(told, bindings);
    made.set(told.server, one);
    one.told = told;
    const turn = {
      waitUntil(work: Promise<unknown>) {
        one.background += 1;
        context.waitUntil(work.finally(() => (one.background -= 1)));
      },
    };
    const answer = await answered(request, one, { bindings: bindingsOf(told, bindings), turn });
    const withLog = new Response(answer.body, answer);
    withLog.headers.set('x-test-log', encodeURIComponent(JSON.stringify(one.logged.splice(0))));
    return withLog;
  },
};

async function answered(request: Request, one: Made, place: { bindings: WorkerBindings; turn: Parameters<Made['worker']['fetch']>[2] }) {
  const { worker, told } = one;
  if (told.act === 'maintain') await worker.scheduled({}, place.bindings, place.turn);
  // By the clock: the runtime cuts off a request that waits for nothing but what other requests began.
  if (told.act !== undefined) while (one.background > 0) await setTimeout(2);
  if (told.act !== undefined) return new Response();
  const headers = new Headers(told.headers);
  headers.set('cf-connecting-ip', told.address);
  return worker.fetch(new Request(request, { headers }), place.bindings, place.turn);
}

/** The secret and the issuer of a story win over these two. */
const required = { AUTH_AGENT_ISSUER: 'https://auth.example.com', AUTH_AGENT_SECRET: '8Xq2vT7mRk4LzC9wPn3bYh6JdFs1GaEu5oQi0KtMxV' };

function bindingsOf({ database }: Told, { HYPERDRIVE, ASSETS, ...bindings }: Bindings): WorkerBindings {
  if (database in bindings) return { ...required, ASSETS, DB: bindings[database] as D1Database };
  return { ...required, ASSETS, HYPERDRIVE: { connectionString: `${HYPERDRIVE?.connectionString.split('?')[0]}?${database}` } };
}

function make(told: Told, { OUTSIDE }: Bindings): Made {
  const logged: string[] = [];
  const write = (level: string) => (event: string, fields?: LogFields, cause?: unknown) =>
    void logged.push(`${level} ${event} ${JSON.stringify(fields ?? {})}${cause === undefined ? '' : ` ${String(cause)}`}`);
  const call =
    (name: Callable) =>
    async (...args: unknown[]) => {
      const body = packed({ server: told.server, name, args } satisfies Call);
      return readOutcome(await (await OUTSIDE.fetch('http://outside/', { method: 'POST', body })).text());
    };
  const one: Made = { told, logged, background: 0, worker: undefined as unknown as Made['worker'] };
  const options: Partial<ServerOptions> = {
    fetchDocument: undefined,
    fetchUpstream: undefined,
    postForm: undefined,
    ...told.options,
    ...(Object.fromEntries(told.functions.map((name) => [name, call(name)])) as Partial<ServerOptions>),
    now: () => one.told.now,
    log: { info: write('info'), warn: write('warn'), error: write('error') },
  };
  one.worker = createWorker(options, { gatherMs: 0, openPostgres });
  return one;
}
