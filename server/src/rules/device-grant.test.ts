import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newUserCode, readUserCode, shownUserCode } from './device-grant.ts';

test('[DEV-03] a user code is eight letters that cannot spell a word, and reads back however it is typed', () => {
  fc.assert(
    fc.property(fc.constantFrom('-', ' ', '–', '  -', ''), fc.boolean(), (between, lower) => {
      const code = newUserCode();
      const typed = ` ${code.slice(0, 4)}${between}${code.slice(4)} `;

      assert.match(code, /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/);
      assert.equal(readUserCode(lower ? typed.toLowerCase() : typed), code);
      assert.equal(readUserCode(shownUserCode(code)), code);
    }),
  );
});

test('[DEV-03] all letters are equally likely', () => {
  const seen = new Map<string, number>();
  for (let made = 0; made < 4000; made++) for (const letter of newUserCode()) seen.set(letter, (seen.get(letter) ?? 0) + 1);

  assert.equal(seen.size, 20);
  // 1600 each on average, with a standard deviation of 39.
  for (const [letter, count] of seen) assert.ok(count > 1300 && count < 1900, `${letter}: ${count}`);
});

test('[DEV-03] what is no code of ours is none, and nothing throws', () => {
  for (const text of [undefined, '', 'WDJB', 'WDJB-MJHA', 'WDJB-MJHTT', 'ＷＤＪＢ', 'WDJB+MJHT', '\u0000']) assert.equal(readUserCode(text), undefined, text);
  assert.equal(readUserCode('ＷＤＪＢ－ＭＪＨＴ'), 'WDJBMJHT');
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/.test(readUserCode(text) ?? 'BBBBBBBB')));
});
