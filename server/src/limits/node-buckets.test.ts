import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nodeBuckets } from './node-buckets.ts';
import type { Policy } from './policies.ts';

const start = 1_800_000_000_000;
const policy = fc.record({ limit: fc.integer({ min: 1, max: 20_000 }), periodSeconds: fc.integer({ min: 1, max: 7 * 86_400 }) });
const few: fc.Arbitrary<Policy> = fc.record({ limit: fc.integer({ min: 1, max: 12 }), periodSeconds: fc.integer({ min: 1, max: 3600 }) });
const countTaken = (take: () => number, most: number): number => {
  let taken = 0;
  while (taken < most && take() === 0) taken++;
  return taken;
};

test('[RATE-01] a full bucket gives its whole limit at once, to the last one, whatever the limit', () => {
  fc.assert(
    fc.property(policy, (of) => {
      const buckets = nodeBuckets(of);
      assert.equal(
        countTaken(() => buckets.take('key', start), of.limit + 5),
        of.limit,
      );
    }),
    { numRuns: 100 },
  );
});

test('[RATE-01] whatever is asked when, no stretch of time gives more than the limit and what was refilled in it', () => {
  fc.assert(
    fc.property(few, fc.array(fc.integer({ min: 0, max: 900_000 }), { maxLength: 120 }), (of, pauses) => {
      const buckets = nodeBuckets(of);
      const step = (of.periodSeconds * 1000) / of.limit;
      let now = start;
      const given: number[] = [];
      for (const pause of pauses) {
        now += pause % 3 === 0 ? 0 : pause;
        if (buckets.take('key', now) === 0) given.push(now);
      }

      for (const [first, from] of given.entries())
        for (const [last, to] of given.entries())
          if (last >= first) assert.ok(last - first + 1 <= of.limit + (to - from) / step + 1e-3, `${last - first + 1} in ${to - from} ms`);
    }),
  );
});

test('[RATE-01] who waits as long as was said is served, a refusal costs nothing, and a quiet period fills the bucket', () => {
  fc.assert(
    fc.property(few, fc.integer({ min: 0, max: 40 }), (of, refusals) => {
      const buckets = nodeBuckets(of);
      const all = () => countTaken(() => buckets.take('key', now), of.limit + 5);
      let now = start;
      all();
      const wait = buckets.take('key', now);
      for (let refused = 0; refused < refusals; refused++) assert.equal(buckets.take('key', now), wait);

      now += Math.ceil(wait);
      assert.equal(buckets.take('key', now), 0);
      now += of.periodSeconds * 1000 + 1;
      assert.equal(all(), of.limit);
    }),
  );
});

test('a clock that jumps back punishes nobody, and counts from there', () => {
  const buckets = nodeBuckets({ limit: 2, periodSeconds: 60 });
  buckets.take('key', start);
  const back = start - 300_000;

  assert.equal(buckets.take('key', back), 0);
  assert.equal(buckets.take('key', back), 0);
  assert.ok(buckets.take('key', back) > 0);
});

test('keys do not share, and however many come the memory stays bounded', () => {
  const buckets = nodeBuckets({ limit: 1, periodSeconds: 60 }, 100);
  for (let key = 0; key < 1000; key++) assert.equal(buckets.take(`key ${key}`, start + key), 0);

  assert.ok(buckets.size <= 100);
  assert.ok(buckets.take('key 999', start + 1000) > 0, 'the newest is remembered');
});
