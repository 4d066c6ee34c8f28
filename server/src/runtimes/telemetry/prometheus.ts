/**
 * Counters, gauges and histograms as plain objects, and the text in which Prometheus reads them (exposition format 0.0.4). Counting finds its series in nested
 * maps and adds to it: nothing is made per event. Not here: what is counted (metrics.ts), where it is read (metrics-port.ts).
 */

export type Family = { name: string; help: string; type: 'counter' | 'gauge' | 'histogram'; labels?: readonly string[] };
/** Finds a series by the values of its labels, three at most; makes it at the first event. */
export type Find<State> = (first?: string, second?: string, third?: string) => State;
export type Registry = {
  /** A counter or a gauge that is added to or set. */
  number(family: Family): Find<{ value: number }>;
  /** A counter or a gauge that is looked up when somebody reads; undefined where this machine cannot say. */
  lookedUp(family: Family, look: () => number | undefined): void;
  /** `bounds` are the upper ends of the buckets, rising. */
  histogram(family: Family, bounds: readonly number[]): Find<Histogram>;
  /** All of it, as it is now. */
  text(): string;
};
export type Histogram = { observe(value: number): void; readonly counts: readonly number[]; readonly sum: number };

/** Label values come from tables. If one ever did not, this is what it could cost: all further series of a family are one. */
const mostSeries = 4096;

/** Makes an empty registry. */
export function registry(): Registry {
  const families: (() => string)[] = [];
  return {
    number(family) {
      const { at, all } = seriesOf(family, () => ({ value: 0 }));
      families.push(() => head(family) + all.map(({ labels, state }) => sample(family.name, labels, state.value)).join(''));
      return at;
    },
    lookedUp(family, look) {
      families.push(() => {
        const value = look();
        return value === undefined ? '' : head(family) + sample(family.name, '', value);
      });
    },
    histogram(family, bounds) {
      const { at, all } = seriesOf(family, () => histogram(bounds));
      families.push(() => head(family) + all.map(({ labels, state }) => distribution(family.name, labels, { bounds, state })).join(''));
      return at;
    },
    text: () => families.map((write) => write()).join(''),
  };
}

type Series<State> = { labels: string; state: State };

function seriesOf<State>({ labels: names = [] }: Family, make: () => State): { at: Find<State>; all: readonly Series<State>[] } {
  const all: Series<State>[] = [];
  const tree = new Map<string, Map<string, Map<string, State>>>();
  const known: Find<State | undefined> = (first = '', second = '', third = '') => tree.get(first)?.get(second)?.get(third);
  const add = (...values: [string, string, string]): State => {
    const [first, second, third] = all.length < mostSeries ? values : ['other', 'other', 'other'];
    const found = known(first, second, third);
    if (found !== undefined) return found;
    const state = make();
    all.push({ labels: names.map((name, index) => `${name}="${escaped([first, second, third][index] ?? '')}"`).join(','), state });
    const branch = tree.get(first) ?? new Map<string, Map<string, State>>();
    const twig = branch.get(second) ?? new Map<string, State>();
    tree.set(first, branch.set(second, twig.set(third, state)));
    return state;
  };
  // Without labels there is one series from the start: a counter that is not there yet cannot be told from one that is gone.
  if (names.length === 0) add('', '', '');
  return { at: (first = '', second = '', third = '') => known(first, second, third) ?? add(first, second, third), all };
}

function histogram(bounds: readonly number[]): Histogram {
  // One more for what is above all bounds.
  const counts = [...bounds, Infinity].map(() => 0);
  let sum = 0;
  return {
    counts,
    get sum() {
      return sum;
    },
    observe(value) {
      sum += value;
      let index = 0;
      while (index < bounds.length && value > (bounds[index] as number)) index += 1;
      counts[index] = (counts[index] as number) + 1;
    },
  };
}

function distribution(name: string, labels: string, { bounds, state }: { bounds: readonly number[]; state: Histogram }): string {
  let below = 0;
  const before = labels === '' ? '' : `${labels},`;
  const buckets = state.counts.map((count, index) => {
    below += count;
    return sample(`${name}_bucket`, `${before}le="${bounds[index] ?? '+Inf'}"`, below);
  });
  return buckets.join('') + sample(`${name}_sum`, labels, state.sum) + sample(`${name}_count`, labels, below);
}

const head = ({ name, help, type }: Family): string => `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
const sample = (name: string, labels: string, value: number): string => `${name}${labels === '' ? '' : `{${labels}}`} ${value}\n`;
const escaped = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
