import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sha256 } from '../crypto/hash.ts';
import { keyPattern, newKey, parseKey } from './key-value.ts';

test('a new key names its id, carries 256 bits and reads back as itself', () => {
  for (let round = 0; round < 200; round++) {
    const key = newKey();

    assert.match(key.secret, keyPattern);
    assert.ok(key.secret.startsWith(`${key.id}_`));
    assert.deepEqual(parseKey(key.secret), { id: key.id, hash: sha256(key.secret) });
    assert.equal(key.hash, sha256(key.secret));
  }
});

test('no two keys are alike', () => {
  const secrets = new Set(Array.from({ length: 500 }, () => newKey().secret));

  assert.equal(secrets.size, 500);
});

test('the bare id is told apart from a secret, also the short id of the documents', () => {
  assert.equal(parseKey(newKey().id), 'id-only');
  assert.equal(parseKey('sk_xyz789'), 'id-only');
});

test('a key with any one character changed is not a key', () => {
  const { secret } = newKey();

  for (let at = 0; at < secret.length; at++) {
    const typo = secret.slice(0, at) + (secret[at] === 'x' ? 'y' : 'x') + secret.slice(at + 1);
    assert.equal(parseKey(typo), undefined, `changed at ${at}`);
  }
});

test('whatever is presented, parsing answers and never throws', () => {
  for (const none of ['', 'sk_', 'sk_abc', 'aat_abc', `${newKey().secret} `, `${newKey().secret}\n`, 'sk_abc def', 'SK_abcdefghijkl'])
    assert.equal(parseKey(none), undefined);

  fc.assert(fc.property(fc.string(), (text) => parseKey(text) === undefined || parseKey(text) === 'id-only'));
});
