import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languages } from '../languages.ts';
import { languageMenu } from './language-menu.ts';
import { wordsFor } from './words.ts';

test('every language is named in itself, in letters that leave an English page plain ASCII', () => {
  const menu = String(languageMenu({ ...wordsFor('en'), base: '' }, { languages, at: 'here' }));

  const names = [...menu.matchAll(/lang="[^"]+"[^>]*>([^<]*)</g)].map(([, name = '']) => name.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(code)));
  assert.deepEqual(
    names,
    languages.map(({ name }) => name),
  );
  assert.match(menu, /^[\x20-\x7e\n]+$/);
});

test('a name is no markup', () => {
  const menu = String(languageMenu({ ...wordsFor('en'), base: '' }, { languages: [{ tag: 'en', name: '<b>&amp;' }], at: 'here' }));

  assert.match(menu, />&#60;b&#62;&#38;amp&#59;</);
});
