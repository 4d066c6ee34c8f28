import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { metric, readPrometheusText } from '../../../test/prometheus-text.ts';
import { registry } from './prometheus.ts';

test('whatever a label holds, the text can be read back', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' })), { minLength: 1 }), (events) => {
      const counted = registry();
      const at = counted.number({ name: 'a_total', help: 'Events.', type: 'counter', labels: ['one', 'other'] });
      for (const [one, other] of events) at(one, other).value += 1;

      const families = readPrometheusText(counted.text());

      for (const [one, other] of events)
        assert.equal(metric(families, 'a_total', { one, other }), events.filter((event) => event[0] === one && event[1] === other).length);
    }),
  );
});

test('a histogram counts each value once, in the first bucket that holds it', () => {
  const counted = registry();
  const at = counted.histogram({ name: 'a_seconds', help: 'Times.', type: 'histogram', labels: ['kind'] }, [0.1, 1]);
  for (const value of [0, 0.1, 0.11, 1, 1.5, 100]) at('x').observe(value);

  const families = readPrometheusText(counted.text());

  const below = (le: string) => metric(families, 'a_seconds_bucket', { kind: 'x', le });
  assert.deepEqual([below('0.1'), below('1'), below('+Inf')], [2, 4, 6]);
  assert.equal(metric(families, 'a_seconds_sum'), 102.71);
});

test('a family without labels is there before its first event, and what cannot be told is left out', () => {
  const counted = registry();
  counted.number({ name: 'a_total', help: 'Events.', type: 'counter' });
  counted.lookedUp({ name: 'b_bytes', help: 'Bytes.', type: 'gauge' }, () => undefined);

  const families = readPrometheusText(counted.text());

  assert.deepEqual([...families.keys()], ['a_total']);
  assert.equal(metric(families, 'a_total'), 0);
});

test('labels that are from no table after all cannot fill the memory', () => {
  const counted = registry();
  const at = counted.number({ name: 'a_total', help: 'Events.', type: 'counter', labels: ['kind'] });
  for (let event = 0; event < 10_000; event += 1) at(`kind ${event}`).value += 1;

  const families = readPrometheusText(counted.text());

  assert.equal(families.get('a_total')?.samples.length, 4097);
  assert.equal(metric(families, 'a_total', { kind: 'other' }), 10_000 - 4096);
});
