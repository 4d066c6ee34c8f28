import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { acceptedLanguages, languages, lookupLanguage } from './languages.ts';

const all = languages.map(({ tag }) => tag);

test('a wish finds its language whatever its case, region and extensions', () => {
  for (const [wish, found] of [
    ['de', 'de'],
    ['DE-at', 'de'],
    ['de-1996-x-private', 'de'],
    ['pt', 'pt-BR'],
    ['pt-PT', 'pt-BR'],
    ['zh', 'zh-Hans'],
    ['zh-CN', 'zh-Hans'],
    ['zh-SG', 'zh-Hans'],
    ['zh-Hans-HK', 'zh-Hans'],
    ['zh-TW', undefined],
    ['zh-Hant', undefined],
    ['ar-EG-u-nu-latn', 'ar'],
    ['sr', undefined],
    ['x-klingon', undefined],
    ['', undefined],
    ['*', undefined],
  ] as const)
    assert.equal(lookupLanguage([wish], all), found, wish);
});

test('the first wish that can be met wins', () => {
  assert.equal(lookupLanguage(['tlh', 'zh-TW', 'fr-CA', 'de'], all), 'fr');
  assert.equal(lookupLanguage([], all), undefined);
});

test('Accept-Language is read by weight, equals in their order, without what is unwanted', () => {
  assert.deepEqual(acceptedLanguages('fr;q=0.5, de-CH, de;q=0.9, en;q=0, *;q=0.1, it;q=2, es ; q=0.9'), ['de-CH', 'de', 'es', 'fr']);
  assert.deepEqual(acceptedLanguages(null), []);
});

test('whatever a header says, the answer is one of the languages or none', () => {
  const header = fc.oneof(fc.string(), fc.array(fc.oneof(fc.string(), fc.constantFrom('de', 'zh-TW;q=0.5', '*', 'en;q=', ';', '-', 'q=1'))).map(String));
  fc.assert(
    fc.property(header, (text) => {
      const found = lookupLanguage(acceptedLanguages(text), all);
      assert.ok(found === undefined || all.includes(found));
      assert.ok(acceptedLanguages(text).length <= 20);
    }),
  );
});

test('a very long header costs no more than a short one', () => {
  assert.ok(acceptedLanguages(`${'a,'.repeat(100_000)}de`).length <= 20);
});
