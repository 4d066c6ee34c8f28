import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256, sha256At } from './hash.ts';
import { randomId, randomIdAt, randomWord } from './random.ts';

test('ids and secrets use only characters that need no form encoding', () => {
  for (let round = 0; round < 200; round++) {
    assert.match(randomId('rt_', 32), /^rt_[A-Za-z0-9_-]{43}$/);
    assert.match(randomWord(12), /^[A-Za-z0-9]{12}$/);
  }
});

test('ids of one second begin alike, those made at once lie together, and no two are the same', () => {
  const ids = Array.from({ length: 1000 }, () => randomIdAt('', 1_800_000_000, 6));

  assert.deepEqual([...new Set(ids.map((id) => id.slice(0, 5)))], ['a0nSA']);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.every((id) => /^[A-Za-z0-9_-]{16}$/.test(id)));
  const made = new Map(ids.map((id, index) => [id, index]));
  const steps = [...ids].sort().map((id, index, all) => Math.abs((made.get(id) ?? 0) - (made.get(all[index - 1] ?? id) ?? 0)));
  // In any order two neighbours are a third of them apart; by time, a few.
  assert.ok(steps.reduce((sum, step) => sum + step, 0) / ids.length < 100);
});

test('a secret that says when it was made is stored as its time and its hash, any other as its hash', () => {
  const code = randomIdAt('ac_', 1_800_000_000, 32);
  assert.equal(sha256At(code), code.slice(3, 11) + sha256(code));
  for (const other of ['', 'ac_short', 'ac_\0\0\0\0\0\0\0\0\0', `AC_${code}`, ` ${code}`]) assert.equal(sha256At(other), sha256(other));
});

test('no two ids are the same, also across the bytes fetched ahead, and none is made of wiped ones', () => {
  const ids = Array.from({ length: 5000 }, (_, index) => randomId('', 12 + (index % 30)));

  assert.equal(new Set(ids.map((id) => id.slice(0, 16))).size, ids.length);
  assert.equal(
    ids.some((id) => /^A{8}|A{8}$/.test(id)),
    false,
  );
  assert.throws(() => randomId('', 4097), RangeError);
});
