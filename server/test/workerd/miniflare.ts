/**
 * workerd itself, from the tools of tools/runtimes (`npm ci --prefix tools/runtimes`): bundles as people deploy it and starts what came of it.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { D1Database } from '../../src/storage/drivers/d1.ts';

export type Runtime = {
  ready: Promise<URL>;
  dispatchFetch(address: string, init?: Record<string, unknown>): Promise<Response>;
  getD1Database(name: string): Promise<D1Database>;
  getWorker(): Promise<{ scheduled(event: { cron: string }): Promise<{ outcome: string }> }>;
  dispose(): Promise<void>;
};
export type Bundle = { script: string; size: string };

const DATE = '2026-10-01';
const FLAGS = ['nodejs_compat'];
const root = new URL('../../../', import.meta.url).pathname;

/** Starts a bundle with the given bindings, in the words of Miniflare's options. */
export async function startWorkerd({ script }: Pick<Bundle, 'script'>, bindings: Record<string, unknown>): Promise<Runtime> {
  const { Miniflare, convertV4MiniflareOptions } = miniflare();
  const worker = { modules: [{ type: 'ESModule', path: 'worker.js', contents: script }], compatibilityDate: DATE, compatibilityFlags: FLAGS };
  const runtime: Runtime = new Miniflare(convertV4MiniflareOptions({ ...worker, ...bindings }));
  await runtime.ready;
  return runtime;
}

/** The library; its types are those of its own installation. */
export function miniflare() {
  return createRequire(join(root, 'tools/runtimes/package.json'))('miniflare');
}

/** What `wrangler deploy` would send, and what wrangler says of its size. `settings` are further flags, such as the path of a wrangler.toml. */
export function bundle(entry: string, settings: string[] = ['--name', 'test', '--compatibility-date', DATE, '--compatibility-flags', ...FLAGS]): Bundle {
  const out = mkdtempSync(join(tmpdir(), 'auth-agent-workerd-'));
  try {
    const env = { ...process.env, WRANGLER_BUILD_CONDITIONS: 'aa-source,workerd,worker,browser', WRANGLER_SEND_METRICS: 'false' };
    const wrangler = join(root, 'tools/runtimes/node_modules/.bin/wrangler');
    const said = execFileSync(wrangler, ['deploy', entry, '--dry-run', '--outdir', out, ...settings], { cwd: out, env, stdio: 'pipe', encoding: 'utf8' });
    return { script: readFileSync(join(out, basename(entry).replace(/\.ts$/, '.js')), 'utf8'), size: /Total Upload: (.+)/.exec(said)?.[1] ?? 'unknown' };
  } finally {
    rmSync(out, { recursive: true });
  }
}
