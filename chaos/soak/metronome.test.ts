import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Rhythm, rhythm } from './metronome.ts';

const fine = { work: 1000, disk: 1, stolen: 0 };
/** Four beats a second, from one second to another. */
function beats(heard: Rhythm, from: number, to: number, beat = fine): void {
  for (let at = from; at < to; at += 0.25) heard.beat(beat, at);
}

test('the speed follows the machine, from when the capacity was found', () => {
  const heard = rhythm();
  beats(heard, 0, 15, { ...fine, work: 5000 });
  beats(heard, 15, 60);
  assert.equal(heard.speed(), 1);
  heard.calibrate(1);
  beats(heard, 60, 90, { ...fine, work: 2000 });
  assert.ok(Math.abs(heard.speed() - 0.5) < 0.01, String(heard.speed()));
  beats(heard, 90, 120, { ...fine, stolen: 0.25 });
  assert.ok(Math.abs(heard.speed() - 0.75) < 0.01, String(heard.speed()));
});

test('a dip is a second that is slower than the pace allows, a disk that stands still or a beat that did not come; five seconds later it is over', () => {
  for (const [beat, late] of [
    [{ ...fine, work: 1500 }, 0],
    [{ ...fine, stolen: 0.3 }, 0],
    [{ ...fine, disk: 300 }, 0],
    [fine, 1],
  ] as const) {
    const heard = rhythm();
    beats(heard, 0, 20);
    heard.calibrate(1);
    assert.equal(heard.dipped(19.75), false);
    beats(heard, 20 + late, 21.25 + late, beat);
    assert.equal(heard.dipped(21.25 + late), true, JSON.stringify(beat));
    beats(heard, 21.25 + late, 28 + late);
    assert.equal(heard.dipped(28 + late), false);
  }
});

test('one slow beat is noise', () => {
  const heard = rhythm();
  beats(heard, 0, 20);
  heard.beat({ ...fine, work: 1500 }, 20);
  assert.equal(heard.dipped(20), false);
});

test('what is refused after a dip is excused until nothing was for a while, and never for longer than a minute', () => {
  const heard = rhythm();
  beats(heard, 0, 20);
  heard.calibrate(1);
  assert.equal(heard.excuses(20), false);
  heard.beat({ ...fine, disk: 300 }, 20);
  beats(heard, 20.25, 31);
  assert.deepEqual([24, 28, 31].map(heard.excuses), [true, true, true]);
  beats(heard, 31, 37);
  assert.equal(heard.excuses(37), false);

  heard.beat({ ...fine, disk: 300 }, 40);
  beats(heard, 40.25, 102);
  const refusals = Array.from({ length: 40 }, (_, index) => 41 + index * 1.5);
  assert.deepEqual(
    refusals.map(heard.excuses),
    refusals.map((at) => at < 100),
  );
});

test('a machine that became slower and stays so dipped once: the pace follows', () => {
  const heard = rhythm();
  beats(heard, 0, 20);
  heard.calibrate(1);
  beats(heard, 20, 50, { ...fine, work: 1500 });
  assert.equal(heard.dipped(49.75), false);
});

test('what a machine had beyond its usual speed and lost again is no dip', () => {
  const heard = rhythm();
  beats(heard, 0, 20);
  heard.calibrate(1);
  beats(heard, 20, 40, { ...fine, work: 600 });
  beats(heard, 40, 42);
  assert.equal(heard.dipped(42), false);
});

test('where nodes wait for the disk, a slower disk slows the pace, and one that is three times slower is a dip', () => {
  const heard = rhythm();
  beats(heard, 0, 20);
  heard.calibrate(0.9);
  beats(heard, 20, 40, { ...fine, disk: 2 });
  assert.ok(Math.abs(heard.speed() - 1 / 1.1) < 0.01, String(heard.speed()));
  assert.equal(heard.dipped(39.75), false);
  beats(heard, 40, 60, { ...fine, disk: 4 });
  assert.ok(Math.abs(heard.speed() - 1 / 1.3) < 0.01, String(heard.speed()));
  assert.equal(heard.dipped(59.75), true);
});
