/**
 * Whether samples show growth: medians of the second quarter and of the last are compared, so that neither warm caches nor a noisy neighbour decide; latencies at equal
 * speeds of the machine, for a rented one is twice as fast in one quarter of an hour as in the next. And what twice the load may do to those who are served. Pure.
 */
import type { Sample } from './samples.ts';

export type Finding = { what: string; before: number; after: number /** The largest `after` that holds. */; bound: number; unit: string };
type Measure = 'rss' | 'heap' | 'files' | 'handles' | 'p50' | 'p99';

/** `after` may be `factor` times what was before, and `slack` more: what a machine does by itself. */
const growth: readonly { measure: Measure; what: string; unit: string; factor: number; slack: number }[] = [
  { measure: 'heap', what: 'heap after a collection', unit: 'MB', factor: 1.1, slack: 2 },
  { measure: 'rss', what: 'resident memory', unit: 'MB', factor: 1.1, slack: 8 },
  { measure: 'files', what: 'descriptors', unit: '', factor: 1.1, slack: 10 },
  { measure: 'handles', what: 'handles of the event loop', unit: '', factor: 1.1, slack: 10 },
  { measure: 'p50', what: 'median latency', unit: 'ms', factor: 1.25, slack: 1 },
  { measure: 'p99', what: '99th percentile of latency', unit: 'ms', factor: 1.5, slack: 10 },
];
/** Who is accepted at twice the load waits behind at most so much more. */
export const doubledSlackMilliseconds = 250;

/** Compares the second quarter of the paced phase with its last, and the doubled phase with the paced one. Needs eight paced samples. */
export function findings(samples: readonly Sample[]): Finding[] {
  const paced = samples.filter(({ phase }) => phase === 'paced');
  const doubled = samples.filter(({ phase }) => phase === 'doubled');
  const quarter = Math.floor(paced.length / 4);
  const [second, last] = [paced.slice(quarter, 2 * quarter), paced.slice(-quarter)];
  const alike = atEqualSpeeds(second, last);
  const grown = growth.map(({ measure, what, unit, factor, slack }) => {
    const [former, latter] = measure === 'p50' || measure === 'p99' ? alike : [second, last];
    // A query under way has a timer, so only what is there when least is under way is held.
    const taken = measure === 'handles' ? leastOf : medianOf;
    const before = taken(former, measure);
    return { what, unit, before, after: taken(latter, measure), bound: before * factor + slack };
  });
  if (doubled.length === 0) return grown;
  const atTwice = (['p50', 'p99'] as const).map((measure) => {
    const before = medianOf(paced, measure);
    const what = `${measure === 'p50' ? 'median latency' : '99th percentile'} of the accepted at twice the load`;
    return { what, unit: 'ms', before, after: medianOf(doubled, measure), bound: before + doubledSlackMilliseconds };
  });
  return [...grown, ...atTwice];
}

/** As many samples of each speed, in tenths, from one as from the other. All of both where less than a quarter of them has a match: then nothing can be told apart. */
function atEqualSpeeds(one: readonly Sample[], other: readonly Sample[]): [readonly Sample[], readonly Sample[]] {
  const [ofOne, ofOther] = [bySpeed(one), bySpeed(other)];
  const pairs = [...ofOne].map(([speed, samples]) => {
    const matching = ofOther.get(speed) ?? [];
    const many = Math.min(samples.length, matching.length);
    return [samples.slice(0, many), matching.slice(0, many)] as const;
  });
  const [former, latter] = [pairs.flatMap(([samples]) => samples), pairs.flatMap(([, samples]) => samples)];
  return former.length * 4 < one.length ? [one, other] : [former, latter];
}

const bySpeed = (samples: readonly Sample[]): Map<number, Sample[]> => Map.groupBy(samples, ({ speed }) => Math.floor(speed * 10));

export const holds = ({ after, bound }: Finding): boolean => after <= bound;

const leastOf = (samples: readonly Sample[], measure: Measure): number => Math.min(...samples.map((sample) => sample[measure]));

export function medianOf(samples: readonly Sample[], measure: keyof Omit<Sample, 'phase'>): number {
  const sorted = samples
    .map((sample) => sample[measure])
    .filter((value) => !Number.isNaN(value))
    .sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
