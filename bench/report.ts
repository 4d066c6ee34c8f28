/** Turns measurements into the Markdown table that bench/results keeps. Pure. */
import type { Measurement } from './load.ts';

export type Row = {
  server: string;
  name: string;
  goal: number;
  ours: Measurement[];
  bare: Measurement[];
  unexpected: Record<string, number>;
  /** Resident memory of the server after the path. */
  megabytes: number;
  /** 99th percentiles of GET metadata with and without this load beside it. */
  meanwhile?: { alone: number; meanwhile: number };
};
/** Milliseconds to the first answer on a database that is there, and resident memory: at the start, then after each quarter of the load. */
export type StartRow = { server: string; milliseconds: number; memory: number[] };
type Conditions = {
  repetitions: number;
  seconds: number;
  connections: number;
  pinned: boolean;
  quick: boolean;
  machine: string;
  nodes: number;
  /** Whether every node, the load and the database have cores of their own. */
  ownCores: boolean;
  sustainSeconds: number;
  chart: string;
  bundleKilobytes?: number;
};

/** The whole report. */
export function report(rows: Row[], starts: StartRow[], kept: { name: string; keeps: string }[], conditions: Conditions): string {
  const { repetitions, seconds, connections, pinned, quick, machine, nodes, ownCores, chart, bundleKilobytes } = conditions;
  const servers = [...new Set(rows.map((row) => row.server))];
  const cores = nodes > 1 ? `${nodes} nodes, each on a core` : 'servers on one core';
  return [
    `# Benchmark${quick ? ', quick' : ''}`,
    '',
    `${machine}. ${connections} connections, ${repetitions} alternating repetitions of ${seconds} s, medians with minimum and maximum; ${pinned ? `${cores}, load generator on another` : 'servers and load generator **not pinned to cores**'}.`,
    'The share is of a bare `node:http` server that answers as many bytes in the same run; for the password sign-in it is of scrypt alone.',
    ...(ownCores
      ? []
      : ['', '**This machine has too few cores for the nodes, the load and Postgres.** Rates say little; processor time per answer says what a node costs.']),
    '',
    `![Share of the ceiling by path](${chart})`,
    '',
    ...servers.flatMap((server) => {
      const keeps = kept.find(({ name }) => name === server)?.keeps ?? '';
      return [`## ${server}`, '', keeps, '', ...table(rows.filter((row) => row.server === server)), ''];
    }),
    ...startTable(starts, conditions),
    ...(bundleKilobytes === undefined ? [] : [`The bundle for Workers is ${bundleKilobytes.toFixed(0)} KB compressed (goal: at most 300).`, '']),
  ].join('\n');
}

function startTable(starts: StartRow[], { sustainSeconds }: Conditions): string[] {
  if (starts.length === 0) return [];
  return [
    '## Start and memory',
    '',
    `Start is to the first answer on a database that was there before. Memory is resident, of the server without its database; the load is ${sustainSeconds} s of metadata, client_credentials and introspection in turn with refresh. Goals: 500 ms, 110 MB, 180 MB without growth.`,
    '',
    '| server | start ms | memory MB at start | after a quarter of the load | half | three quarters | all |',
    '|---|---|---|---|---|---|---|',
    ...starts.map(({ server, milliseconds, memory }) => `| ${[server, milliseconds.toFixed(0), ...memory.map((one) => one.toFixed(0))].join(' | ')} |`),
    '',
  ];
}

function table(rows: Row[]): string[] {
  return [
    '| path | share of ceiling | by CPU time | goal | per second | ceiling per second | CPU µs | ceiling CPU µs | p50 ms | p99 ms | memory MB | unexpected |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows.map((row) => {
      const rates = row.ours.map((run) => run.perSecond);
      const ceilings = row.bare.map((run) => run.perSecond);
      const share = median(rates) / median(ceilings);
      const cells = [
        row.name,
        `**${share.toFixed(2)}**${row.server.startsWith('this server') && share < row.goal ? ' (below)' : ''}`,
        (cpu(row.bare) / (cpu(row.ours) + databaseCpu(row.ours))).toFixed(2),
        row.goal.toFixed(2),
        spread(rates, 0),
        `${spread(ceilings, 0)}${isStarved(row.bare) ? ' †' : ''}`,
        cpuCell(row.ours),
        cpu(row.bare).toFixed(0),
        median(row.ours.map((run) => run.p50)).toFixed(2),
        median(row.ours.map((run) => run.p99)).toFixed(2),
        row.megabytes.toFixed(0),
        Object.entries(row.unexpected)
          .map(([status, times]) => `${times} × ${status}`)
          .join(', ') || '0',
      ];
      return `| ${cells.join(' | ')} |`;
    }),
    ...(rows.some((row) => isStarved(row.bare))
      ? ['', '† The ceiling had its core for less than 85 % of the time: something else ran on this machine, and only the share by CPU time says anything.']
      : []),
    ...rows.flatMap(({ name, meanwhile }) =>
      meanwhile
        ? [
            '',
            `Beside ${name}, the p99 of GET metadata on one connection is ${meanwhile.meanwhile.toFixed(2)} ms instead of ${meanwhile.alone.toFixed(2)} ms (goal: at most twice).`,
          ]
        : [],
    ),
  ];
}

/** Whether the ceiling could not use its core up; for a wait on worker threads that is as it should be. */
function isStarved(runs: Measurement[]): boolean {
  return median(runs.map((run) => (run.perSecond * (run.cpuMicroseconds ?? Number.NaN)) / 1e6)) < 0.85;
}

function spread(values: number[], digits: number): string {
  return `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`;
}

function cpu(runs: Measurement[]): number {
  return median(runs.map((run) => run.cpuMicroseconds ?? Number.NaN));
}

function databaseCpu(runs: Measurement[]): number {
  return median(runs.map((run) => run.databaseCpuMicroseconds ?? 0));
}

/** Of the server, and of its database where that is another process. */
function cpuCell(runs: Measurement[]): string {
  const database = databaseCpu(runs);
  return database > 0 ? `${cpu(runs).toFixed(0)} + ${database.toFixed(0)}` : cpu(runs).toFixed(0);
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
