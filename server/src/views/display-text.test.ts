import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { displayText, hasMixedScripts, visibleText } from './display-text.ts';

test('[DCR-15] control, bidi and zero-width characters are stripped from a name', () => {
  const shown = displayText('Cla\u200Bude\u202E \u2066Co\u0000de\u00AD\uFEFF\u3164\uFFF9\u061C');

  assert.equal(shown, 'Claude Code');
});

test('[DCR-15] a name is cut at 60 characters, and an emoji is never cut in half', () => {
  const shown = displayText('🦊'.repeat(80));

  assert.equal([...shown].length, 60);
  assert.ok(shown.endsWith('…'));
  assert.doesNotMatch(shown, /\p{Cs}/u);
});

test('white space collapses and stacks of marks are thinned', () => {
  assert.equal(displayText(' a\n\t b\u2028c '), 'a b c');
  assert.ok([...displayText(`e${'\u0301\u0316'.repeat(30)}`)].length <= 3);
});

test('an address is made visible but never cut', () => {
  assert.equal(visibleText(`https://a.example/${'x'.repeat(500)}\u202E`).length, 518);
});

test('[DCR-15] whatever a stranger writes, nothing invisible is left and nothing is longer than 60', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (given) => {
      const shown = displayText(given);

      assert.ok([...shown].length <= 60);
      assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      assert.equal(displayText(shown), shown);
    }),
    { examples: [['a \u200B b'], ['e\u200B\u0301']] },
  );
});

test('a Cyrillic letter in a Latin name is noticed, ordinary writing systems are not', () => {
  assert.equal(hasMixedScripts('Сlaude Code'), true);
  assert.equal(hasMixedScripts('Cursοr'), true, 'Greek omicron');
  for (const name of ['Claude Code 4.5', 'Überraschung', 'クロード Code 漢字', '클로드 Code', 'Клод', 'مساعد', '🦊 Fox'])
    assert.equal(hasMixedScripts(name), false, name);
});

test('plain words stay as they are, and only one space is between them and none around', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', '~', '!', '<', '&', '"') }), { maxLength: 6 }), (words) => {
      const kept = words.filter((word) => word !== '').join(' ');

      assert.equal(visibleText(words.join(' ')), kept);
      assert.equal(visibleText(` ${kept}  `), kept);
    }),
  );
});
