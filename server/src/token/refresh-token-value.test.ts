import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Context } from '../context.ts';
import { instanceKeys } from '../crypto/instance-keys.ts';
import { newFamilyId, newRefreshToken, parseRefreshToken } from './refresh-token-value.ts';

/** What a value depends on: the instance secret and the tenant. */
function of(tenant: string, secret = 'a secret of thirty-two bytes, or more'): Context {
  return { instance: instanceKeys(secret), store: { tenant } } as Context;
}
const here = of('-');

test('a value names its family and generation, and no two values are the same', () => {
  const value = { familyId: newFamilyId(), generation: 4_000_000_000 };

  const [first, second] = [newRefreshToken(value, here), newRefreshToken(value, here)];

  assert.match(first, /^rt_[A-Za-z0-9_-]{64}$/);
  assert.notEqual(first, second);
  assert.deepEqual(parseRefreshToken(first, here), value);
});

test('[RT-02] a value of another tenant or under another secret is not ours', () => {
  const token = newRefreshToken({ familyId: newFamilyId(), generation: 0 }, here);

  assert.equal(parseRefreshToken(token, of('acme')), undefined);
  assert.equal(parseRefreshToken(token, of('-', 'another secret of thirty-two bytes')), undefined);
});

test('[RT-02] no change of a value goes unnoticed, and nothing else is read as one', () => {
  const token = newRefreshToken({ familyId: newFamilyId(), generation: 7 }, here);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';

  fc.assert(
    fc.property(fc.integer({ min: 3, max: token.length - 1 }), fc.constantFrom(...alphabet), (at, letter) => {
      fc.pre(token[at] !== letter);
      assert.equal(parseRefreshToken(token.slice(0, at) + letter + token.slice(at + 1), here), undefined);
    }),
  );
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => parseRefreshToken(`rt_${text}`, here) === undefined));
});
