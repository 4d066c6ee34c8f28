/**
 * workerd itself, from the tools of tools/runtimes (`npm ci --prefix tools/runtimes`): bundles as people deploy it and starts what came of it.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { D1Database } from '../../src/storage/drivers/d1.ts';

export type Runtime = {
  ready: Promise<URL>;
  unsafeGetDirectURL(): Promise<URL>;
  dispatchFetch(address: string, init?: Record<string, unknown>): Promise<Response>;
  getD1Database(name: string): Promise<D1Database>;
  getWorker(): Promise<{ scheduled(event: { cron: string }): Promise<{ outcome: string }> }>;
  dispose(): Promise<void>;
};
export type Bundle = { script: string; size: string };

const root = new URL('../../../', import.meta.url).pathname;
const tools = createRequire(join(root, 'tools/runtimes/package.json'));
const settings = join(root, 'workers/wrangler.toml');

/** Wrangler and the runtime ask nobody outside: not for a newer version, not for an example of what Cloudflare says of a request, and they tell nobody either. */
export const alone = {
  CI: 'true',
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
};

/** Starts a bundle with the given bindings, in the words of Miniflare's options, and with date, flags and assets as they are deployed. `assets: undefined` leaves those out. */
export async function startWorkerd({ script }: Pick<Bundle, 'script'>, bindings: Record<string, unknown>): Promise<Runtime> {
  const { Miniflare, convertV4MiniflareOptions } = miniflare();
  const {
    assets: deployed,
    compatibility_date: compatibilityDate,
    compatibility_flags: compatibilityFlags,
  } = tools('wrangler').unstable_readConfig({ config: settings });
  const assets = { ...deployed, directory: resolve(dirname(settings), deployed.directory), routerConfig: { has_user_worker: true } };
  const worker = { modules: [{ type: 'ESModule', path: 'worker.js', contents: script }], compatibilityDate, compatibilityFlags, assets, cf: false };
  const runtime: Runtime = new Miniflare(convertV4MiniflareOptions({ ...worker, ...bindings }));
  await runtime.ready;
  return runtime;
}

/** The library; its types are those of its own installation. */
export function miniflare() {
  return tools('miniflare');
}

/** What `wrangler deploy` would send with this entry, and what wrangler says of its size. */
export function bundle(entry: string): Bundle {
  const out = mkdtempSync(join(tmpdir(), 'auth-agent-workerd-'));
  try {
    const env = { ...process.env, ...alone, WRANGLER_BUILD_CONDITIONS: 'aa-source,workerd,worker,browser' };
    const wrangler = join(root, 'tools/runtimes/node_modules/.bin/wrangler');
    const words = ['deploy', entry, '--dry-run', '--outdir', out, '--config', settings];
    const said = execFileSync(wrangler, words, { cwd: dirname(settings), env, stdio: 'pipe', encoding: 'utf8' });
    return { script: readFileSync(join(out, basename(entry).replace(/\.ts$/, '.js')), 'utf8'), size: /Total Upload: (.+)/.exec(said)?.[1] ?? 'unknown' };
  } finally {
    rmSync(out, { recursive: true });
  }
}
