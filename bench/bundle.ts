/** Size of the worker's bundle as wrangler makes it for a deployment. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const wrangler = `${root}tools/runtimes/node_modules/.bin/wrangler`;

/** In kilobytes, compressed; nothing where wrangler is not installed (`npm ci --prefix tools/runtimes`). */
export function bundleKilobytes(): number | undefined {
  if (!existsSync(wrangler)) return undefined;
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_BUILD_CONDITIONS: 'aa-source,workerd,worker,browser' };
  const said = execFileSync(wrangler, ['deploy', '--dry-run', '--config', `${root}workers/wrangler.toml`], {
    cwd: root,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const kibibytes = /gzip: ([\d.]+) KiB/.exec(said)?.[1];
  return kibibytes === undefined ? undefined : (Number(kibibytes) * 1024) / 1000;
}
