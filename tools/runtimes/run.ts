/**
 * `npm run runtimes -- [--short] [name]`: the stories of server/test/flows in every cell of runtime and database that `npm test` does not run (cells.ts, docs/runtimes.md), two
 * cells at a time; `--short` is the list of .ci/run. Needs `npm ci --prefix tools/runtimes`, and Postgres for its cells.
 */
import { spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Cell, cells, core, short } from './cells.ts';

type Count = { passed: number; failed: number; skipped: number };
type Outcome = { cell: Cell; count: Count; seconds: number; said: string; ended: boolean };

const root = new URL('../..', import.meta.url).pathname;
const bun = `${root}tools/runtimes/node_modules/.bin/bun`;
const flows = 'server/test/flows/';
const AT_ONCE = 2;

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

if (!existsSync(bun)) end('Bun and workerd are missing: npm ci --prefix tools/runtimes');
const { values: flags, positionals } = parseArgs({ options: { short: { type: 'boolean', default: false } }, allowPositionals: true });
const [wanted = ''] = positionals;
const chosen = cells.filter(({ name, notInShort }) => name.toLowerCase().includes(wanted.toLowerCase()) && !(flags.short && notInShort));
if (chosen.length === 0) end(`There is no cell like ${wanted}: ${cells.map(({ name }) => name).join(', ')}`);
const without = process.env.AUTH_AGENT_TEST_POSTGRES ? [] : chosen.filter(({ postgres }) => postgres);
if (without.length > 0 && process.env.CI) end('AUTH_AGENT_TEST_POSTGRES is not set; try tools/postgres.sh run npm run runtimes');

const waiting = chosen.filter((cell) => !without.includes(cell));
const outcomes: Outcome[] = [];
const lane = async () => {
  for (let cell = waiting.shift(); cell; cell = waiting.shift()) outcomes.push(shown(await runCell(cell)));
};
await Promise.all(Array.from({ length: AT_ONCE }, lane));

console.log();
if (flags.short) console.log(`in short: the stories of ${short.join(', ')}`);
for (const { name, notInShort } of flags.short ? cells : []) if (notInShort) console.log(`${name}: not in short, for ${notInShort}`);
for (const cell of flags.short ? [] : chosen) if (cell.because) console.log(`${cell.name}: core stories only, for ${cell.because}`);
for (const { name, leftOut = [] } of chosen) for (const { title, because } of leftOut) console.log(`${name}: left out, because ${because}: ${title}`);
for (const { cell, count, seconds } of outcomes) console.log(`${cell.name.padEnd(28)} ${lineOf(count)} in ${seconds} s`);
for (const { name } of without) console.log(`${name.padEnd(28)} skipped: AUTH_AGENT_TEST_POSTGRES is not set; try tools/postgres.sh run npm run runtimes`);
const sum = (part: keyof Count) => outcomes.reduce((total, { count }) => total + count[part], 0);
console.log(lineOf({ passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') + without.length }));
if (outcomes.some(({ count, ended }) => count.failed > 0 || !ended)) process.exitCode = 1;

async function runCell(cell: Cell): Promise<Outcome> {
  const began = Date.now();
  const [command = '', ...words] = commandOf(cell);
  const child = spawn(command, words, { cwd: root, env: { ...process.env, ...cell.env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const pieces: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => pieces.push(text));
  const status = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)));
  const said = pieces.join('');
  const count = countIn(said, cell);
  // What fails without a test that failed, such as a process that died, is one failure.
  if (status !== 0 && count.failed === 0) count.failed = 1;
  return { cell, count, said, seconds: Math.round((Date.now() - began) / 1000), ended: status === 0 };
}

function commandOf({ runner, stories, leftOut = [] }: Cell): string[] {
  const files = filesOf(stories);
  if (runner === 'bun') return [bun, 'test', '--conditions=aa-source', '--timeout', '120000', '--dots', ...files.map((file) => `./${file}`)];
  const without = leftOut.map(({ title }) => `--test-skip-pattern=^${title.replace(/[[\]()]/g, '\\$&')}$`);
  return [...node, ...without, ...files];
}

function filesOf(stories: Cell['stories']): readonly string[] {
  if (typeof stories !== 'string') return stories;
  if (flags.short) return short.map(fileOf);
  return stories === 'core' ? core.map(fileOf) : globSync(`${flows}**/*.test.ts`, { cwd: root });
}

function fileOf(name: string): string {
  return `${flows}${name}.test.ts`;
}

/** The closing lines of tally.ts or of Bun. */
function countIn(said: string, { runner }: Cell): Count {
  const last = (pattern: RegExp) => [...said.matchAll(pattern)].at(-1);
  if (runner === 'bun') {
    const number = (word: string) => Number(last(new RegExp(`^ *(\\d+) ${word}$`, 'gm'))?.[1] ?? 0);
    return { passed: number('pass'), failed: number('fail') + number('errors?'), skipped: number('skip') };
  }
  const [, passed = 0, failed = 0, skipped = 0] = last(/^(\d+) passed, (\d+) failed, (\d+) skipped$/gm) ?? [];
  return { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) };
}

function shown(outcome: Outcome): Outcome {
  const { cell, count, seconds, said, ended } = outcome;
  console.log(`\n== ${cell.name}: ${lineOf(count)} in ${seconds} s`);
  if (!ended || count.failed > 0) console.log(said);
  else for (const [line] of said.matchAll(/^(servers in|bundle of|skipped ).*$/gm)) console.log(line);
  return outcome;
}

function lineOf({ passed, failed, skipped }: Count): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function end(said: string): never {
  console.error(`\n${said}`);
  process.exit(1);
}
