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
  const late = Math.max(0, ...of('paced').map((sample) => sample.late));
  const cell = (value: number, unit: string) => `${value.toFixed(unit === '' ? 0 : 1)}${unit && ` ${unit}`}`;
  return [
    '# Soak',
    '',
    `${machine}. ${nodes} node${nodes > 1 ? 's' : ''} on ${database}, ${minutes} minutes; ${pinned ? 'nodes on one core, callers on another' : '**not pinned to cores**'}.`,
    '',
    `Capacity, found by a closed loop: ${capacity.toFixed(0)} lives a second (agents with consent, code, refreshes, introspections and sometimes revocation; machines), the nodes busy for ${(busy * 100).toFixed(0)} % of a core.`,
    `At 80 % of it ${rate('paced')} requests a second were answered, at twice that ${rate('doubled')} with ${refused} refused; ${gaveUp} lives gave up then. The callers themselves were late by at most ${late.toFixed(0)} ms.`,
    '',
    '| | before | after | at most | |',
    '|---|---|---|---|---|',
    ...found.map((finding) => {
      const { what, before, after, bound, unit } = finding;
      return `| ${what} | ${cell(before, unit)} | ${cell(after, unit)} | ${cell(bound, unit)} | ${holds(finding) ? 'holds' : '**violated**'} |`;
    }),
    '',
    'Before and after are medians of the second and the last quarter at 80 %; for twice the load, of all of 80 % and all of twice.',
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
