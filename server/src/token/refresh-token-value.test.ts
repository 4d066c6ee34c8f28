import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Context } from '../context.ts';
import { instanceKeys } from '../crypto/instance-keys.ts';
import { firstRefreshToken, newFamilyId, parseRefreshToken, successorOf } from './refresh-token-value.ts';

/** What a value depends on: the instance secret and the tenant. */
function of(tenant: string, secret = 'a secret of thirty-two bytes, or more'): Context {
  return { instance: instanceKeys(secret), store: { tenant } } as Context;
}
const here = of('-');

const now = 1_800_000_000;

test('a value names its family and generation, and no two values are the same', () => {
  const familyId = newFamilyId(now);

  const [first, second] = [firstRefreshToken(familyId, here), firstRefreshToken(familyId, here)];

  assert.match(first, /^rt_[A-Za-z0-9_-]{64}$/);
  assert.notEqual(first, second);
  assert.deepEqual(parseRefreshToken(first, here), { familyId, generation: 0 });
  assert.notEqual(familyId, newFamilyId(now));
});

test('[RT-03] the successor follows from the token, the tenant and the instance secret, and from nothing that is stored', () => {
  const first = { familyId: newFamilyId(now), generation: 4_000_000_000 };
  const value = firstRefreshToken(first.familyId, here);

  const next = successorOf(value, first, here);

  assert.deepEqual(parseRefreshToken(next, here), { ...first, generation: 4_000_000_001 });
  assert.equal(successorOf(value, first, here), next);
  const others = [
    successorOf(firstRefreshToken(first.familyId, here), first, here),
    successorOf(value, first, of('acme')),
    successorOf(value, first, of('-', 'another secret of thirty-two bytes')),
  ];
  const unguessable = (token: string) => Buffer.from(token.slice(3), 'base64url').toString('hex', 16, 32);
  assert.equal(new Set([value, next, ...others].map(unguessable)).size, 5);
});

test('[RT-02] a value of another tenant or under another secret is not ours', () => {
  const token = firstRefreshToken(newFamilyId(now), here);

  assert.equal(parseRefreshToken(token, of('acme')), undefined);
  assert.equal(parseRefreshToken(token, of('-', 'another secret of thirty-two bytes')), undefined);
});

test('[RT-02] no change of a value goes unnoticed, and nothing else is read as one', () => {
  const token = firstRefreshToken(newFamilyId(now), here);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';

  fc.assert(
    fc.property(fc.integer({ min: 3, max: token.length - 1 }), fc.constantFrom(...alphabet), (at, letter) => {
      fc.pre(token[at] !== letter);
      assert.equal(parseRefreshToken(token.slice(0, at) + letter + token.slice(at + 1), here), undefined);
    }),
  );
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => parseRefreshToken(`rt_${text}`, here) === undefined));
});
