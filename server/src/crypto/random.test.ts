import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomId, randomWord } from './random.ts';

test('ids and secrets use only characters that need no form encoding', () => {
  for (let round = 0; round < 200; round++) {
    assert.match(randomId('rt_', 32), /^rt_[A-Za-z0-9_-]{43}$/);
    assert.match(randomWord(12), /^[A-Za-z0-9]{12}$/);
  }
});
