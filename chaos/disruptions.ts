/** What happens to servers in real life, one after the other. Each says what it did; healing is part of it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Node } from './cluster.ts';
import type { Database } from './database.ts';

export type Scene = { nodes: readonly Node[]; database: Database /** Lets the load go on for so long. */; wait(milliseconds: number): Promise<void> };

export type Disruption = {
  name: string;
  on: readonly Database['kind'][];
  /** The clocks of nodes disagree meanwhile. */
  clocks?: true;
  /** Resolves to what was done. */
  run(scene: Scene): Promise<string>;
};

const both = ['sqlite', 'postgres'] as const;
const run = promisify(execFile);

const killNode: Disruption = {
  name: 'kill -9 a node',
  on: both,
  async run({ nodes, wait }) {
    const victims = [nodes[0], nodes.at(-1)] as Node[];
    for (const node of victims) {
      await node.kill();
      await wait(300);
      await node.start();
      await wait(300);
    }
    return `${victims.length} times`;
  },
};

const restartPostgres: Disruption = {
  name: 'crash Postgres',
  on: ['postgres'],
  async run({ database }) {
    await database.restart(1000);
    return 'away for a second and its recovery';
  },
};

const cutConnections: Disruption = {
  name: 'cut connections',
  on: ['postgres'],
  async run({ database, wait }) {
    let cut = 0;
    for (let round = 0; round < 5; round++) {
      cut += await database.cutConnections();
      await wait(200);
    }
    return `${cut} of them`;
  },
};

/** A limit on the size of files: the kernel refuses every write behind it, as it does on a full disk. */
const fillDisk: Disruption = {
  name: 'no room on the disk',
  on: ['sqlite'],
  async run({ nodes, database, wait }) {
    const limit = async (bytes: string) => {
      for (const { pid } of nodes) await run('prlimit', [`--pid=${pid}`, `--fsize=${bytes}:`]);
    };
    await limit('4096');
    await wait(1500);
    await limit('unlimited');
    return `files end at 4 KiB, of ${Math.ceil(database.bytes() / 1024)}`;
  },
};

const jumpClock: Disruption = {
  name: 'clocks jump ± 5 minutes',
  on: both,
  clocks: true,
  async run({ nodes, wait }) {
    const jumps = [300, -300, 0];
    for (const seconds of jumps) {
      await nodes[0]?.ask('clock', seconds);
      await wait(700);
    }
    return 'ahead, behind, back';
  },
};

const expireKeys: Disruption = {
  name: 'signing keys expire',
  on: both,
  async run({ nodes, wait }) {
    let rotations = 0;
    for (const node of [...nodes, ...nodes]) {
      await node.ask('rotateKeys');
      rotations += 1;
      await wait(250);
    }
    return `${rotations} times`;
  },
};

const twoSweeps: Disruption = {
  name: 'two sweeps at once',
  on: both,
  async run({ nodes, wait }) {
    for (let round = 0; round < 5; round++) {
      await Promise.all([...nodes, ...nodes].map((node) => node.ask('maintain')));
      await wait(100);
    }
    return '5 times';
  },
};

export const disruptions: readonly Disruption[] = [killNode, restartPostgres, cutConnections, fillDisk, jumpClock, expireKeys, twoSweeps];
