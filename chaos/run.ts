/**
 * `npm run chaos`: real nodes under load, disturbed in every way of disruptions.ts, first one node on SQLite, then several on Postgres. Prints what was done and
 * counted; ends with 1 when anything was violated. `--short` is what CI runs; `--only <word>` keeps the disruptions, or the database, whose name has the word.
 */
import { parseArgs } from 'node:util';
import type { World } from './callers.ts';
import { type Node, startedNode } from './cluster.ts';
import { type Database, postgresCluster, sqliteFile } from './database.ts';
import { type Disruption, disruptions } from './disruptions.ts';
import { judge, recovery } from './judge.ts';
import { newLedger, total } from './ledger.ts';
import { startLoad } from './load.ts';

const { values: flags } = parseArgs({ options: { short: { type: 'boolean' }, only: { type: 'string' } } });
const sizes = flags.short ? { agents: 6, machines: 2, calm: 700, rounds: 1 } : { agents: 12, machines: 4, calm: 3000, rounds: 3 };
const nodesOf = { sqlite: 1, postgres: flags.short ? 2 : 3 };
const wait = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

let [held, broken] = [0, 0];
const began = Date.now();
console.log(
  `${'database'.padEnd(9)} ${'disruption'.padEnd(25)} ${'done'.padEnd(36)} ${'answered'.padStart(8)} ${'refused'.padStart(8)} ${'recovery'.padStart(9)} ${'looked at'.padStart(9)}`,
);
for (const open of [async () => sqliteFile(), postgresCluster]) {
  const database = await open();
  const chosen = disruptions.filter(({ name, on }) => on.includes(database.kind) && (!flags.only || `${database.kind} ${name}`.includes(flags.only)));
  if (chosen.length > 0) await disturb(database, chosen);
  await database.remove();
}
console.log(`\n${held} passed, ${broken} failed, 0 skipped   (disruptions, in ${Math.round((Date.now() - began) / 1000)} s)`);
process.exit(broken === 0 ? 0 : 1);

async function disturb(database: Database, chosen: readonly Disruption[]): Promise<void> {
  const first = await startedNode('node 1', database.url);
  const apiKey = await first.ask('fill');
  const nodes = [first];
  while (nodes.length < nodesOf[database.kind]) nodes.push(await startedNode(`node ${nodes.length + 1}`, database.url));
  for (let round = 0; round < sizes.rounds; round++) for (const disruption of chosen) await survive(disruption, { database, nodes, apiKey });
  await Promise.all(nodes.map((node) => node.stop()));
}

type Cluster = { database: Database; nodes: readonly Node[]; apiKey: string };

async function survive(disruption: Disruption, { database, nodes, apiKey }: Cluster): Promise<void> {
  const ledger = newLedger();
  let [disturbed, clocksDiffer] = [false, false];
  const world: World = { nodes, apiKey, ledger, disturbed: () => disturbed, clocksDiffer: () => clocksDiffer };
  const people = await Promise.all(Array.from({ length: sizes.agents }, (_, index) => (nodes[index % nodes.length] as Node).ask('person')));
  const load = startLoad(world, people, sizes.machines);

  await wait(sizes.calm);
  disturbed = true;
  clocksDiffer = disruption.clocks === true;
  const done = await disruption.run({ nodes, database, wait });
  const milliseconds = await recovery(world);
  await wait(sizes.calm);
  await load.stop();
  [disturbed, clocksDiffer] = [false, false];
  const looked = await judge(world, database);

  const count = (value: number | string, width: number) => String(value).padStart(width);
  console.log(
    `${database.kind.padEnd(9)} ${disruption.name.padEnd(25)} ${done.padEnd(36)} ${count(total(ledger.done), 8)} ${count(total(ledger.refused), 8)} ${count(milliseconds, 6)} ms ${count(looked, 9)}`,
  );
  if (total(ledger.done) === 0) ledger.violated('nothing was answered at all');
  for (const violation of ledger.violations) console.log(`  ✖ ${violation}`);
  if (ledger.violations.length === 0) held += 1;
  else broken += 1;
}
