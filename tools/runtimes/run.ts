/**
 * `npm run runtimes`: the stories of server/test/flows in every cell of runtime and database that `npm test` does not run (docs/runtimes.md). Needs
 * `npm ci --prefix tools/runtimes`, and Postgres for its cells.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const root = new URL('../..', import.meta.url).pathname;
const bun = `${root}tools/runtimes/node_modules/.bin/bun`;
const everything = 'server/test/flows/';
/** Stories whose server gets its options as plain values, so that it may run in another process. */
const core = [
  'discovery',
  'registration',
  'sign-in',
  'consent',
  'token-code',
  'token-refresh',
  'token-client-credentials',
  'introspection',
  'token-revocation',
  'token-userinfo',
];
const coreFiles = core.map((name) => `${everything}${name}.test.ts`);

type Cell = { name: string; command: string[]; env: Record<string, string>; postgres?: true };
const node = [
  'node',
  '--conditions=aa-source',
  '--test',
  '--test-isolation=none',
  '--test-reporter=dot',
  '--test-reporter-destination=stdout',
  '--test-reporter=./tools/tally.ts',
  '--test-reporter-destination=stdout',
];
const bunTest = [bun, 'test', '--conditions=aa-source', '--timeout', '120000', '--dots', `./${everything}`];
const onPostgres = { AUTH_AGENT_TEST_DATABASE: 'postgres' };
const inWorkerd = { AUTH_AGENT_TEST_RUNTIME: 'workerd' };
const cells: Cell[] = [
  { name: 'Node × Postgres', command: [...node, `${everything}**/*.test.ts`], env: onPostgres, postgres: true },
  { name: 'Bun × SQLite', command: bunTest, env: {} },
  { name: 'Bun × Postgres', command: bunTest, env: onPostgres, postgres: true },
  { name: 'Workers × D1', command: [...node, ...coreFiles], env: inWorkerd },
  { name: 'Workers × Postgres', command: [...node, ...coreFiles], env: { ...onPostgres, ...inWorkerd }, postgres: true },
];

if (!existsSync(bun)) end('Bun and workerd are missing: npm ci --prefix tools/runtimes');
const [wanted] = process.argv.slice(2);
const results: string[] = [];
for (const { name, command, env, postgres } of cells) {
  if (wanted !== undefined && !name.toLowerCase().includes(wanted.toLowerCase())) continue;
  if (postgres && !process.env.AUTH_AGENT_TEST_POSTGRES) {
    if (process.env.CI) end(`${name} needs AUTH_AGENT_TEST_POSTGRES`);
    results.push(`${name.padEnd(20)} skipped: AUTH_AGENT_TEST_POSTGRES is not set; try tools/postgres.sh run npm run runtimes`);
    continue;
  }
  console.log(`\n== ${name}`);
  const began = Date.now();
  const { status } = spawnSync(command[0] ?? '', command.slice(1), { cwd: root, env: { ...process.env, ...env }, stdio: 'inherit' });
  results.push(`${name.padEnd(20)} ${status === 0 ? 'passed' : 'FAILED'} in ${Math.round((Date.now() - began) / 1000)} s`);
  if (status !== 0) end(results.join('\n'));
}
console.log(`\n${results.join('\n')}`);

function end(said: string): never {
  console.error(`\n${said}`);
  process.exit(1);
}
