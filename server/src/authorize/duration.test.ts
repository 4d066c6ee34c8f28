import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OAuthError } from '../errors.ts';
import { DURATIONS, type Duration } from '../views/duration-choice.ts';
import { type Bounds, chosenDuration, durationChoice, lasting } from './duration.ts';

const NOW = 1_800_000_000;
const HOUR = 3600;
const DAY = 24 * HOUR;
const bounds = (over: Partial<Bounds> = {}): Bounds => ({ now: NOW, risky: false, mostSeconds: 90 * DAY, ...over });

test('a person may choose each of the four, and without risk the longest is chosen', () => {
  assert.deepEqual(durationChoice(bounds()), { offered: [...DURATIONS], preset: 'until_disconnected', asBefore: undefined, capped: false });
});

test('what deletes or administers is chosen for eight hours', () => {
  assert.equal(durationChoice(bounds({ risky: true })).preset, '8_hours');
});

test('the limit of a server takes away what is longer', () => {
  assert.deepEqual(durationChoice(bounds({ limit: '30_days' })).offered, ['30_days', '8_hours', 'once']);
  assert.deepEqual(durationChoice(bounds({ limit: 'once', risky: true })), { offered: ['once'], preset: 'once', asBefore: undefined, capped: true });
});

test('what was allowed for a while is not made longer by an addition', () => {
  const choice = durationChoice(bounds({ asBefore: NOW + 20 * HOUR, risky: true }));

  assert.deepEqual([choice.offered, choice.preset], [['until_disconnected', '8_hours', 'once'], '8_hours']);
  assert.deepEqual(lasting('until_disconnected', { now: NOW, asBefore: NOW + 20 * HOUR }), { expiresAt: NOW + 20 * HOUR });
  assert.deepEqual(lasting('once', { now: NOW, asBefore: NOW + 600 }), { expiresAt: NOW + 600, once: true });
});

test('until disconnected has no end of its own, and once has no refresh token', () => {
  assert.deepEqual(lasting('until_disconnected', { now: NOW }), {});
  assert.deepEqual(lasting('8_hours', { now: NOW }), { expiresAt: NOW + 8 * HOUR });
  assert.deepEqual(lasting('once', { now: NOW }), { expiresAt: NOW + HOUR, once: true });
  assert.deepEqual(lasting('until_disconnected', { now: NOW, limit: 'once' }), { expiresAt: NOW + HOUR, once: true });
});

test('a form chooses among what was offered, and without a word takes what was chosen beforehand', () => {
  const choice = durationChoice(bounds({ limit: '8_hours' }));

  assert.equal(chosenDuration(undefined, choice), '8_hours');
  assert.equal(chosenDuration('once', choice), 'once');
  for (const given of ['until_disconnected', '30_days', '', 'forever', '__proto__']) assert.throws(() => chosenDuration(given, choice), OAuthError, given);
});

test('whatever the bounds, nothing that can be chosen ends later than they say', () => {
  const limits = fc.constantFrom('30_days' as const, '8_hours' as const, 'once' as const);
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.option(limits, { nil: undefined }),
      fc.option(fc.integer({ min: 1, max: 100 * DAY }), { nil: undefined }),
      (risky, limit, left) => {
        const given = bounds({ risky, limit, asBefore: left && NOW + left });
        const choice = durationChoice(given);
        assert.ok(choice.offered.includes(choice.preset));
        const most = { '30_days': 30 * DAY, '8_hours': 8 * HOUR, once: HOUR };
        for (const duration of choice.offered as Duration[]) {
          const { expiresAt = Number.POSITIVE_INFINITY } = lasting(duration, given);
          assert.ok(expiresAt <= (given.asBefore ?? Number.POSITIVE_INFINITY) && (limit === undefined || expiresAt <= NOW + most[limit]));
          assert.ok(expiresAt > NOW);
        }
      },
    ),
  );
});
