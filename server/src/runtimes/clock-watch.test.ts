import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clockWatch } from './clock-watch.ts';

function watched() {
  const time = { wall: 1_800_000_000_000, steady: 5000 };
  const warned: unknown[] = [];
  const look = clockWatch({ warn: (event, fields) => warned.push([event, fields]) }, { wall: () => time.wall, steady: () => time.steady });
  return { time, warned, look };
}

test('[OPS-03] a clock that is set ahead or back is warned of, once and with the seconds', () => {
  const { time, warned, look } = watched();
  for (const jump of [0, 300_000, 0, -300_000, 0, 11_000]) {
    time.wall += 1000 + jump;
    time.steady += 1000;
    look();
  }

  assert.deepEqual(
    warned,
    [300, -300, 11].map((seconds) => ['clock.jumped', { seconds }]),
  );
});

test('[OPS-03] neither small corrections nor a node that stood still for long are jumps', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(600_000), fc.integer({ min: -10_000, max: 10_000 }))), (steps) => {
      const { time, warned, look } = watched();
      for (const [passed, corrected] of steps) {
        time.wall += passed + corrected;
        time.steady += passed;
        look();
      }
      assert.deepEqual(warned, []);
    }),
  );
});
