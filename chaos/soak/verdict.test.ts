import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chart } from './chart.ts';
import type { Sample } from './samples.ts';
import { findings, holds } from './verdict.ts';

const calm: Sample = {
  at: 0,
  phase: 'paced',
  rss: 150,
  heap: 30,
  files: 40,
  handles: 20,
  perSecond: 900,
  refusedPerSecond: 0,
  p50: 2,
  p99: 9,
  still: 30,
  cores: 0.8,
  speed: 1,
  dip: 0,
  late: 0,
};
/** Forty samples at 80 %, then ten at twice that. */
const soak = (of: (index: number) => Partial<Sample>, doubled: Partial<Sample> = {}): Sample[] => [
  ...Array.from({ length: 40 }, (_, index) => ({ ...calm, at: index * 5, ...of(index) })),
  ...Array.from({ length: 10 }, (_, index) => ({ ...calm, at: 200 + index * 5, phase: 'doubled' as const, ...doubled })),
];
const violated = (samples: Sample[]) =>
  findings(samples)
    .filter((finding) => !holds(finding))
    .map(({ what }) => what);

test('a node that stays as it is passes, and so does one that is disturbed for a moment', () => {
  assert.deepEqual(violated(soak(() => ({}))), []);
  assert.deepEqual(violated(soak((index) => (index % 10 === 3 ? { rss: 400, heap: 90, p99: 900 } : {}))), []);
  assert.deepEqual(violated(soak((index) => (index < 10 ? { heap: 12, rss: 90 } : {}))), []);
  // Queries that are under way at the moment of a sample.
  assert.deepEqual(violated(soak((index) => (index >= 30 && index % 4 > 0 ? { handles: 90 } : {}))), []);
});

test('a leak of memory, descriptors or time is found by its name', () => {
  assert.deepEqual(violated(soak((index) => ({ heap: 30 + index * 0.5 }))), ['heap after a collection']);
  assert.deepEqual(violated(soak((index) => ({ rss: 150 + index * 2 }))), ['resident memory']);
  assert.deepEqual(violated(soak((index) => ({ files: 40 + index * 2, handles: 20 + index * 2 }))), ['descriptors', 'handles of the event loop']);
  assert.deepEqual(violated(soak((index) => ({ p50: 2 + index * 0.2 }))), ['median latency']);
});

test('latencies are compared at equal speeds of the machine: one that slows down is no growth, and one that becomes faster hides none', () => {
  const fast = { speed: 1.6, p50: 1.8, p99: 17 };
  const usual = { speed: 1.2, p50: 5.6, p99: 41 };
  const slower = soak((index) => (index >= 10 && index < 20 && index % 3 > 0 ? fast : usual));
  const faster = soak((index) => (index < 30 || index % 3 === 0 ? { ...usual, p50: index < 30 ? 5.6 : 9 } : fast));
  const elsewhere = soak((index) => (index < 30 ? fast : usual));

  assert.deepEqual([violated(slower), violated(faster)], [[], ['median latency']]);
  // Nothing of one is like anything of the other: that is said, and not passed over.
  assert.deepEqual(violated(elsewhere), ['median latency', '99th percentile of latency']);
});

test('those who are accepted at twice the load wait a bounded time, and nobody accepted is no pass', () => {
  assert.deepEqual(violated(soak(() => ({}), { p50: 100, p99: 200, refusedPerSecond: 400 })), []);
  assert.deepEqual(violated(soak(() => ({}), { p99: 900 })), ['99th percentile of the accepted at twice the load']);
  assert.equal(violated(soak(() => ({}), { p50: Number.NaN, p99: Number.NaN })).length, 2);
});

test('a chart of samples in which nobody was accepted leaves them out', () => {
  const drawn = chart(soak(() => ({}), { p50: Number.NaN, p99: Number.NaN }));

  assert.doesNotMatch(drawn, /NaN|undefined/);
  assert.match(drawn, /twice the load/);
});
