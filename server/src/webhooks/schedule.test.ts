import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Webhook } from '../storage/store.ts';
import { restOf, spread } from './schedule.ts';

const now = 1_800_000_000;
const webhook: Webhook = { id: 'wh_1', url: 'https://siem.example/hook', events: ['*'], secretSealed: 's', privateNetwork: false, createdAt: now };

test('[OPS-06] a pause is up to a fifth longer than planned, evenly, and the same whenever it is asked for', () => {
  const extra = Array.from({ length: 1000 }, (_, index) => spread({ webhook, eventId: `evt_${index}`, attempt: 1, dueAt: now + 300 }, now) - now - 300);

  assert.deepEqual([Math.min(...extra), Math.max(...extra)], [0, 59]);
  const average = extra.reduce((sum, one) => sum + one, 0) / extra.length;
  assert.ok(average > 27 && average < 32, String(average));
  assert.deepEqual(
    [1, 2, 1].map((attempt) => spread({ webhook, eventId: 'evt_a', attempt, dueAt: now + 36_000 }, now) - now),
    [37965, 42395, 37965],
  );
  assert.notEqual(
    spread({ webhook, eventId: 'evt_a', attempt: 1, dueAt: now + 36_000 }, now),
    spread({ webhook: { ...webhook, id: 'wh_2' }, eventId: 'evt_a', attempt: 1, dueAt: now + 36_000 }, now),
  );
});

test('[OPS-06] Retry-After is a number of seconds or a date, and an hour at most', () => {
  const date = (at: number) => new Date(at * 1000).toUTCString();
  for (const [said, rest] of [
    ['120', now + 120],
    [' 1 ', now + 1],
    ['3600', now + 3600],
    ['3601', now + 3600],
    ['9'.repeat(400), now + 3600],
    [date(now + 90), now + 90],
    [date(now + 90_000), now + 3600],
    [date(now), undefined],
    ['0', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['Foo, bar GMT', undefined],
    ['2036-01-01', undefined],
    ['', undefined],
    [null, undefined],
  ] as const)
    assert.equal(restOf(said, now), rest, String(said));
});

test('whatever a receiver says, it rests an hour at most or not at all', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.bigInt().map(String),
        fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
      ),
      (said) => {
        const until = restOf(said, now);
        assert.ok(until === undefined || (Number.isSafeInteger(until) && until > now && until <= now + 3600), said);
      },
    ),
  );
});
