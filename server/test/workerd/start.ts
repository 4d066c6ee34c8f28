/**
 * Starts workerd with the server in it, once for all tests of a run, when AUTH_AGENT_TEST_RUNTIME=workerd. Needs `npm ci --prefix tools/runtimes`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { D1Database } from '../../src/storage/drivers/d1.ts';
import type { Told } from './entry.ts';

export type Workerd = {
  /** A database of its own, empty. */
  database(): Promise<{ name: string; binding: D1Database }>;
  /** Asks the server in workerd; the log lines that came of it go to `logged`. */
  ask(request: Request, told: Told, logged: string[]): Promise<Response>;
};

const DATABASES = 1000;
const DATE = '2026-10-01';
const FLAGS = ['nodejs_compat'];
let started: Promise<Workerd> | undefined;

export const wantsWorkerd = process.env.AUTH_AGENT_TEST_RUNTIME === 'workerd';

export function workerd(): Promise<Workerd> {
  started ??= start();
  return started;
}

async function start(): Promise<Workerd> {
  const tools = createRequire(new URL('../../../tools/runtimes/package.json', import.meta.url));
  const { Miniflare, convertV4MiniflareOptions } = tools('miniflare');
  const script = bundled();
  const names = Array.from({ length: DATABASES }, (_, index) => `DB${index}`);
  const options = convertV4MiniflareOptions({
    modules: [{ type: 'ESModule', path: 'entry.js', contents: script }],
    compatibilityDate: DATE,
    compatibilityFlags: FLAGS,
    d1Databases: Object.fromEntries(names.map((name) => [name, name])),
  });
  const runtime = new Miniflare(options);
  await runtime.ready;
  process.once('beforeExit', () => runtime.dispose());
  let used = 0;
  return {
    async database() {
      const name = names[used++];
      if (name === undefined) throw new Error(`more than ${DATABASES} databases: raise the number`);
      return { name, binding: await runtime.getD1Database(name) };
    },
    async ask(request, told, logged) {
      const headers: Record<string, string> = { ...Object.fromEntries(request.headers), 'x-test': encodeURIComponent(JSON.stringify(told)) };
      const body = request.method === 'GET' || request.method === 'HEAD' ? undefined : await request.arrayBuffer();
      const answer = await runtime.dispatchFetch(request.url, { method: request.method, headers, body, redirect: 'manual' });
      logged.push(...JSON.parse(decodeURIComponent(answer.headers.get('x-test-log') ?? '%5B%5D')));
      answer.headers.delete('x-test-log');
      const empty = [101, 204, 205, 304].includes(answer.status);
      const headersBack: [string, string][] = [...answer.headers].filter(([name]) => name !== 'set-cookie');
      for (const cookie of answer.headers.getSetCookie()) headersBack.push(['set-cookie', cookie]);
      return new Response(empty ? null : await answer.arrayBuffer(), { status: answer.status, headers: headersBack });
    },
  };
}

/** As people deploy it: wrangler bundles, with its own stand-ins for Node's modules. */
function bundled(): string {
  const out = mkdtempSync(join(tmpdir(), 'auth-agent-workerd-'));
  try {
    const wrangler = new URL('../../../tools/runtimes/node_modules/.bin/wrangler', import.meta.url).pathname;
    const entry = new URL('./entry.ts', import.meta.url).pathname;
    const settings = ['--dry-run', '--outdir', out, '--name', 'test', '--compatibility-date', DATE, '--compatibility-flags', ...FLAGS];
    const env = { ...process.env, WRANGLER_BUILD_CONDITIONS: 'aa-source,workerd,worker,browser', WRANGLER_SEND_METRICS: 'false' };
    execFileSync(wrangler, ['deploy', entry, ...settings], { cwd: out, env, stdio: 'pipe' });
    return readFileSync(join(out, 'entry.js'), 'utf8');
  } finally {
    rmSync(out, { recursive: true });
  }
}
