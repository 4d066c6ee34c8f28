/**
 * `npm run build`: builds the packages that are published into their dist folders, in the order in which they need each other. Nothing here is needed to
 * run or test from source.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';

const packages = ['server', 'sdk/typescript', 'cli'];
const root = new URL('..', import.meta.url).pathname;

for (const name of packages) {
  rmSync(`${root}/${name}/dist`, { recursive: true, force: true });
  run('tsc', '-p', `${name}/tsconfig.build.json`);
}
chmodSync(`${root}/cli/dist/main.js`, 0o755);

/** Ends with the status of the command, which has said itself what is wrong. */
function run(command: string, ...given: string[]): void {
  console.log(`${command} ${given.join(' ')}`);
  const { status } = spawnSync(command, given, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
