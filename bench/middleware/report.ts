/** Turns the timings of the middleware into the Markdown section that bench/results/middleware.md keeps. Pure. */

/** One repetition: microseconds per request, elapsed and of processor time of the process that guards. */
export type Timed = { micros: number; cpuMicros: number };
/** What price.ts and price.py print: repetitions by request and by guarding (`bare`, `cached`, `uncached`). */
export type Figures = { runtime: string; requests: Record<string, Record<string, Timed[]>> };

/** A section with a table for each language. */
export function section(measured: Figures[], conditions: string): string {
  return [`## ${conditions}`, '', ...measured.flatMap(table)].join('\n');
}

function table({ runtime, requests }: Figures): string[] {
  return [
    `${runtime}:`,
    '',
    '| request | guard | µs per request | price µs | CPU µs per request | price CPU µs |',
    '|---|---|---|---|---|---|',
    ...Object.entries(requests).flatMap(([request, runs]) => Object.keys(runs).map((guarding) => row(request, guarding, runs))),
    '',
  ];
}

function row(request: string, guarding: string, runs: Record<string, Timed[]>): string {
  const of = (name: string, what: keyof Timed) => (runs[name] ?? []).map((run) => run[what]);
  const price = (what: keyof Timed) => (guarding === 'bare' ? '–' : `**${(median(of(guarding, what)) - median(of('bare', what))).toFixed(0)}**`);
  const cells = [request, guarding, spread(of(guarding, 'micros')), price('micros'), spread(of(guarding, 'cpuMicros')), price('cpuMicros')];
  return `| ${cells.join(' | ')} |`;
}

function spread(values: number[]): string {
  return `${median(values).toFixed(0)} (${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)})`;
}

/** The middle one; repetitions are odd. */
function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
