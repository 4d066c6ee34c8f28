/**
 * `npm run soak`: a node (with `--database postgres` two) under the mixed load of the callers for `--minutes`, 30 by default, at 80 % of what it served in the
 * first minute, and of what the machine has become since; then twice that. Results in bench/results/soak.{md,svg,json}. Ends with 1 when anything grew, was lost, or was refused in a wrong way.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { World } from '../callers.ts';
import { startedNode } from '../cluster.ts';
import { postgresCluster, sqliteFile } from '../database.ts';
import { judge, recovery } from '../judge.ts';
import { newLedger, total } from '../ledger.ts';
import { chart } from './chart.ts';
import { connections } from './connections.ts';
import { startMetronome } from './metronome.ts';
import { type Cookie, paceOf } from './pace.ts';
import { report } from './report.ts';
import { type Phase, type Sample, watchNodes } from './samples.ts';
import { findings, holds } from './verdict.ts';

const { values: flags } = parseArgs({ options: { minutes: { type: 'string', default: '30' }, database: { type: 'string', default: 'sqlite' } } });
const minutes = Number(flags.minutes);
if (!(minutes > 0)) throw new TypeError('--minutes: a number above 0');
const second = 1000;
const length = { warm: Math.min(60, minutes * 12) * second, paced: minutes * 60 * second, doubled: Math.min(60, minutes * 12) * second };
const livesAtOnce = 64;
const people = 5000;
const share = 0.8;

const database = flags.database === 'postgres' ? await postgresCluster() : sqliteFile();
const names = flags.database === 'postgres' ? ['node 1', 'node 2'] : ['node 1'];
const nodes = await Promise.all(names.slice(0, 1).map((name) => startedNode(name, database.url, ['--expose-gc'])));
const apiKey = await nodes[0]?.ask('fill');
for (const name of names.slice(1)) nodes.push(await startedNode(name, database.url, ['--expose-gc']));
const metronome = startMetronome();
const pinned = [...nodes, metronome].every(({ pid }) => onCore(0, pid)) && onCore(1, process.pid);

const ledger = newLedger();
let phase: Phase = 'warm';
let calm = true;
let told = 0;
const callers = connections((...seen) => watch.observe(...seen));
const watch = watchNodes(nodes, {
  every: Math.max(1, Math.min(5, minutes)) * second,
  connected: callers.open,
  speed: metronome.speed,
  dipped: metronome.dipped,
  tell,
});
const world: World = {
  nodes,
  apiKey: apiKey ?? '',
  ledger,
  disturbed: () => false,
  clocksDiffer: () => false,
  overloaded: () => !calm || metronome.excuses(),
  patient: true,
  attempts: () => (calm ? Number.POSITIVE_INFINITY : 1),
  send: callers.send,
};
console.log(`${database.kind}, ${nodes.length} node${nodes.length > 1 ? 's' : ''}, ${minutes} minutes; load of this machine now ${loadavg()[0]?.toFixed(1)}`);
const cookies: Cookie[] = [];
while (cookies.length < people) cookies.push(...((await nodes[0]?.ask('people', 500)) ?? []));
const pace = paceOf(world, cookies);

const usedBefore = await processorSeconds();
const capacity = await pace.capacity(livesAtOnce, length.warm);
const busy = ((await processorSeconds()) - usedBefore) / (length.warm / second);
metronome.calibrate(busy);
enter('paced');
await pace.keep(pacedShare, length.paced);
calm = false;
enter('doubled');
await pace.keep(() => 2 * pacedShare(), length.doubled);
await watch.stop();
metronome.stop();
calm = true;
await recovery(world);
const looked = await judge(world, database);
await Promise.all(nodes.map((node) => node.stop()));
await database.remove();

const found = findings(watch.samples);
const conditions = {
  machine: `Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, load ${loadavg()[1]?.toFixed(1)} (five minutes)`,
  database: database.kind,
  nodes: nodes.length,
  minutes,
  pinned,
  capacity,
  busy,
  looked,
  gaveUp: pace.gaveUp(),
  done: Object.fromEntries(ledger.done),
};
const text = report({ conditions, found, violations: ledger.violations, samples: watch.samples });
const results = new URL('../../bench/results/', import.meta.url);
const name = database.kind === 'sqlite' ? 'soak' : 'soak-postgres';
mkdirSync(results, { recursive: true });
writeFileSync(new URL(`${name}.md`, results), text);
writeFileSync(new URL(`${name}.svg`, results), chart(watch.samples));
writeFileSync(new URL(`${name}.json`, results), `${JSON.stringify({ conditions, found, violations: ledger.violations, samples: watch.samples })}\n`);
console.log(`\n${text}`);
process.exit(ledger.violations.length === 0 && total(ledger.done) > 0 && found.every(holds) ? 0 : 1);

/** A machine that became faster is not asked for more: what it would serve then was never looked for. */
function pacedShare(): number {
  return capacity * share * Math.min(1, metronome.speed());
}

function enter(next: Phase): void {
  phase = next;
  watch.phase(phase);
}

function tell(sample: Sample): void {
  for (const violation of ledger.violations.slice(told)) console.log(`         ${violation}`);
  told = ledger.violations.length;
  const number = (value: number, width: number, digits = 0) => value.toFixed(digits).padStart(width);
  console.log(
    `${number(sample.at, 6)} s ${sample.phase.padEnd(7)} ${number(sample.perSecond, 6)}/s refused ${number(sample.refusedPerSecond, 6)}/s p50 ${number(sample.p50, 6, 1)} ms p99 ${number(sample.p99, 6, 1)} ms heap ${number(sample.heap, 5, 1)} MB resident ${number(sample.rss, 5)} MB open ${number(sample.files, 5)} still ${number(sample.still, 4)} ms cores ${number(sample.cores, 4, 2)} speed ${number(sample.speed * 100, 3)} %${sample.dip ? ' dip' : '    '} late ${number(sample.late, 4)} ms violations ${ledger.violations.length}`,
  );
}

async function processorSeconds(): Promise<number> {
  const vitals = await Promise.all(nodes.map((node) => node.ask('vitals')));
  return vitals.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

/** Nodes on one core, callers on another: otherwise callers take from the nodes what they measure. */
function onCore(core: number, pid: number): boolean {
  if (availableParallelism() < 2 && core > 0) return false;
  try {
    execFileSync('taskset', ['-acp', String(core), String(pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
