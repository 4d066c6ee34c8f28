/**
 * Reads the text format of Prometheus (0.0.4) as strictly as its own linter, for tests: every sample has a type and a help above it, names follow the conventions, no
 * series stands twice, histograms add up. Throws what is wrong.
 */
import assert from 'node:assert/strict';

export type Sample = { name: string; labels: Record<string, string>; value: number };
export type Family = { name: string; type: 'counter' | 'gauge' | 'histogram'; help: string; samples: Sample[] };

/** The families of a text by name. */
export function readPrometheusText(text: string): Map<string, Family> {
  assert.ok(text.endsWith('\n'), 'the last line ends');
  const families = new Map<string, Family>();
  let current: Family | undefined;
  let help: { name: string; text: string } | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const [, helped, words] = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line) ?? [];
    const [, typed, type] = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (helped !== undefined && words !== undefined) help = { name: helped, text: words };
    else if (typed !== undefined) {
      assert.equal(help?.name, typed, `HELP stands above TYPE of ${typed}`);
      assert.ok(!families.has(typed), `${typed} stands once`);
      current = { name: typed, type: type as Family['type'], help: help.text, samples: [] };
      families.set(typed, current);
    } else {
      const sample = readSample(line);
      assert.ok(current && belongs(sample.name, current), `${sample.name} stands under its TYPE`);
      current.samples.push(sample);
    }
  }
  for (const family of families.values()) checkFamily(family);
  return families;
}

/** The value of one series. */
export function metric(families: Map<string, Family>, name: string, labels: Record<string, string> = {}): number | undefined {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
  return family?.samples.find((sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value))?.value;
}

function readSample(line: string): Sample {
  const [, name = '', inside = '', value = ''] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^\n]*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[+-]Inf|NaN)$/.exec(line) ?? [];
  assert.notEqual(name, '', `a sample: ${line}`);
  const labels: Record<string, string> = {};
  let rest = inside;
  while (rest !== '') {
    const [matched, label = '', text = ''] = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/.exec(rest) ?? [];
    assert.ok(matched, `labels: ${inside}`);
    assert.ok(!(label in labels), `a label stands once: ${label}`);
    labels[label] = text.replace(/\\([\\"n])/g, (_whole, character: string) => (character === 'n' ? '\n' : character));
    rest = rest.slice(matched.length);
  }
  return { name, labels, value: value === '+Inf' ? Infinity : Number(value) };
}

function belongs(sample: string, { name, type }: Family): boolean {
  return type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(sample) : sample === name;
}

function checkFamily({ name, type, help, samples }: Family): void {
  assert.match(name, /^[a-z][a-z0-9_]*[a-z0-9]$/, 'snake case');
  assert.match(help, /^[A-Z].*\.$/, `the help of ${name} is a sentence`);
  // What dashboards for Node.js already know by this name is a gauge all the same.
  if (name !== 'nodejs_active_resources_total') assert.equal(type === 'counter', name.endsWith('_total'), `${name}: counters and only they end in _total`);
  assert.doesNotMatch(name, /_(milliseconds|ms|minutes|kilobytes|megabytes|percent)(_|$)/, 'base units');
  const series = samples.map((sample) => `${sample.name}${JSON.stringify(Object.entries(sample.labels).toSorted())}`);
  assert.equal(new Set(series).size, series.length, `no series of ${name} stands twice`);
  assert.ok(
    samples.every(({ value }) => Number.isFinite(value)),
    `${name} has numbers`,
  );
  if (type === 'counter') assert.ok(samples.every(({ value }) => value >= 0));
  if (type === 'histogram') checkHistogram(name, samples);
}

function checkHistogram(name: string, samples: Sample[]): void {
  const key = ({ labels: { le: _, ...labels } }: Sample) => JSON.stringify(labels);
  for (const group of Object.values(Object.groupBy(samples, key)) as Sample[][]) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => (labels.le === '+Inf' ? Infinity : Number(labels.le)));
    assert.deepEqual(
      bounds,
      [...new Set(bounds)].toSorted((one, other) => one - other),
      'bounds rise',
    );
    assert.equal(bounds.at(-1), Infinity);
    assert.ok(
      buckets.every(({ value }, index) => value >= (buckets[index - 1]?.value ?? 0)),
      'buckets add up',
    );
    assert.equal(group.filter((sample) => sample.name === `${name}_sum`).length, 1);
    assert.deepEqual(
      group.filter((sample) => sample.name === `${name}_count`).map(({ value }) => value),
      [buckets.at(-1)?.value],
    );
  }
}
