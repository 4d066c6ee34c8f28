/** Turns what was seen and found into the Markdown that bench/results keeps. Pure. */
import type { Sample } from './samples.ts';
import { type Finding, holds, medianOf } from './verdict.ts';

type Conditions = {
  machine: string;
  database: string;
  nodes: number;
  minutes: number;
  pinned: boolean;
  /** Lives a second. */
  capacity: number;
  /** Cores that the nodes used while the capacity was looked for. */
  busy: number;
  /** Families and tokens that were looked at in the end. */
  looked: number;
  gaveUp: number;
  done: Record<string, number>;
};
type Report = { conditions: Conditions; found: readonly Finding[]; violations: readonly string[]; samples: readonly Sample[] };

export function report({ conditions, found, violations, samples }: Report): string {
  const { machine, database, nodes, minutes, pinned, capacity, busy, looked, gaveUp, done } = conditions;
  const of = (phase: Sample['phase']) => samples.filter((sample) => sample.phase === phase);
  const rate = (phase: Sample['phase']) => medianOf(of(phase), 'perSecond').toFixed(0);
  const refused = medianOf(of('doubled'), 'refusedPerSecond').toFixed(0);
  const speeds = of('paced').map(({ speed }) => speed);
  const dips = of('paced').filter(({ dip }) => dip === 1).length / Math.max(1, of('paced').length);
  const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
  const atPace = (measure: 'perSecond' | 'refusedPerSecond') =>
    samples
      .reduce((sum, sample, index) => (sample.phase === 'paced' ? sum + sample[measure] * (sample.at - (samples[index - 1]?.at ?? 0)) : sum), 0)
      .toFixed(0);
  const late = Math.max(0, ...of('paced').map((sample) => sample.late));
  const cell = (value: number, unit: string) => `${value.toFixed(unit === '' ? 0 : 1)}${unit && ` ${unit}`}`;
  return [
    '# Soak',
    '',
    `${machine}. ${nodes} node${nodes > 1 ? 's' : ''} on ${database}, ${minutes} minutes; ${pinned ? 'nodes on one core, callers on another' : '**not pinned to cores**'}.`,
    '',
    `Capacity, found by a closed loop: ${capacity.toFixed(0)} lives a second (agents with consent, code, refreshes, introspections and sometimes revocation; machines), the nodes busy for ${(busy * 100).toFixed(0)} % of a core.`,
    `The machine by itself was between ${percent(Math.min(...speeds))} and ${percent(Math.max(...speeds))} as fast later, half of the time above ${percent(medianOf(of('paced'), 'speed'))}, and the pace followed it below 100 %. In ${percent(dips)} of that time it had become slower than its pace, or its disk stood still, within five seconds; nodes stood still for at most ${Math.max(...of('paced').map(({ still }) => still)).toFixed(0)} ms.`,
    `At 80 % of the capacity ${rate('paced')} requests a second were answered. ${atPace('refusedPerSecond')} were refused beside ${atPace('perSecond')}, then or while what had gathered was worked off, at most a minute (at any other time it is a violation). At twice that ${rate('doubled')} were answered with ${refused} refused, and ${gaveUp} lives gave up. The callers themselves were late by at most ${late.toFixed(0)} ms.`,
    '',
    '| | before | after | at most | |',
    '|---|---|---|---|---|',
    ...found.map((finding) => {
      const { what, before, after, bound, unit } = finding;
      return `| ${what} | ${cell(before, unit)} | ${cell(after, unit)} | ${cell(bound, unit)} | ${holds(finding) ? 'holds' : '**violated**'} |`;
    }),
    '',
    'Before and after are medians of the second and the last quarter at 80 %, latencies of samples in which the machine was equally fast, handles at their least; for twice the load, of all of 80 % and all of twice.',
    '',
    `Acknowledged and true in the end: ${Object.entries(done)
      .map(([what, times]) => `${times} × ${what}`)
      .join(', ')}. ${looked} families and tokens were looked at again on every node, and all rows and the chain of audit events.`,
    '',
    ...(violations.length === 0 ? ['Violations: none.'] : ['Violations:', '', ...violations.map((violation) => `- ${violation}`)]),
    '',
    `![Memory, handles, latency and requests over time](soak${database === 'sqlite' ? '' : '-postgres'}.svg)`,
    '',
  ].join('\n');
}
