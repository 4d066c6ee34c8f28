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
type Conditions = { repetitions: number; seconds: number; connections: number; pinned: boolean; quick: boolean; machine: string };

/** The whole report. */
export function report(rows: Row[], { repetitions, seconds, connections, pinned, quick, machine }: Conditions): string {
  const servers = [...new Set(rows.map((row) => row.server))];
  return [
    `# Benchmark${quick ? ', quick' : ''}`,
    '',
    `${machine}. ${connections} connections, ${repetitions} alternating repetitions of ${seconds} s, medians with minimum and maximum; servers ${pinned ? 'on one core, load generator on another' : '**not pinned to cores**'}.`,
    'The share is of a bare `node:http` server that answers as many bytes in the same run; for the password sign-in it is of scrypt alone. Databases are files with `synchronous=FULL`; peers keep everything in memory.',
    '',
    ...servers.flatMap((server) => [`## ${server}`, '', ...table(rows.filter((row) => row.server === server)), '']),
  ].join('\n');
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
        `**${share.toFixed(2)}**${row.server === 'this server' && share < row.goal ? ' (below)' : ''}`,
        (cpu(row.bare) / cpu(row.ours)).toFixed(2),
        row.goal.toFixed(2),
        spread(rates, 0),
        `${spread(ceilings, 0)}${isStarved(row.bare) ? ' †' : ''}`,
        cpu(row.ours).toFixed(0),
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

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
