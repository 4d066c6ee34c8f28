import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { html } from 'hono/html';
import en from '../assets/messages/en.json' with { type: 'json' };
import { type ErrorCode, errorCodes, fixOf } from '../errors.ts';
import { keyOf, type MessageKey, wordsFor } from './words.ts';

const { t, rich } = wordsFor('en');
const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const sources = globSync('**/*.ts', { cwd: import.meta.dirname })
  .filter((name) => !name.endsWith('.test.ts') && name !== 'words.ts')
  .map(read)
  .concat(read('../page-frame.ts'))
  .join('\n');
const computedPrefixes = [...sources.matchAll(/`([a-zA-Z]+\.[a-zA-Z.]*)\$\{/g)].map((match) => match[1] ?? '');

test('every message is used by a page, and no page holds words of its own', () => {
  const unused = Object.keys(en).filter((key) => !sources.includes(`'${key}'`) && !computedPrefixes.some((prefix) => key.startsWith(prefix)));
  const markup = [...sources.matchAll(/>([^<>${}`]*)</g)].map((match) => (match[1] ?? '').trim());

  assert.deepEqual(unused, []);
  assert.deepEqual(
    markup.filter((text) => /[A-Za-z]{3,} [a-z]{2,}/.test(text) && !/[=;(]/.test(text)),
    [],
  );
});

test('every error code and every case of one has words for people', () => {
  const cases = [...(/export type ErrorCase =([^;]*);/.exec(read('../errors.ts'))?.[1] ?? '').matchAll(/'(\w+)'/g)].map((match) => match[1]);
  const codes = Object.keys(errorCodes) as ErrorCode[];

  assert.deepEqual(
    codes.filter((code) => !keyOf(`problem.means.${code}`) || (fixOf(code) === undefined && !keyOf(`problem.advice.${code}`))),
    [],
  );
  assert.ok(cases.length > 5);
  assert.deepEqual(
    cases.filter((name) => !keyOf(`problem.case.${name}.advice`)),
    [],
  );
});

test('no message stands twice: the second would silently win', () => {
  const keys = [...read('../assets/messages/en.json').matchAll(/^ {2}"([^"]+)":/gm)].map((match) => match[1]);

  assert.deepEqual(keys, Object.keys(en));
});

test('a missing value is an error, never a brace on a page', () => {
  assert.throws(() => t('consent.title'), /name/);
  assert.throws(() => rich('host.youAreOn', {}), /host/);
  for (const key of Object.keys(en) as MessageKey[]) {
    const names = [...en[key].matchAll(/\{([a-zA-Z]+)[,}]/g)].map((match) => match[1] ?? '');
    assert.doesNotMatch(t(key, Object.fromEntries(names.map((name) => [name, 7]))), /[{}]/, key);
  }
});

test('[LOG-10] values are escaped inside rich text and are not read as placeholders themselves', () => {
  assert.equal(rich('host.youAreOn', { host: '<b>' }).toString(), 'You are on &lt;b&gt;');
  assert.equal(rich('host.youAreOn', { host: html`<b>x</b>` }).toString(), 'You are on <b>x</b>');
  assert.equal(t('redirect.foreign', { place: '{host}', host: 'b' }), 'Returns to {host}, which is not b.');
});

test('numbers are counted in the grammar of the language', () => {
  assert.equal(t('consent.untilDisconnectedOr', { most: 1 }), 'Until you disconnect it, 1 day at most');
  assert.equal(t('consent.untilDisconnectedOr', { most: 90 }), 'Until you disconnect it, 90 days at most');
});

test('a pseudo language changes the words and neither the values nor the grammar', () => {
  const accented = wordsFor('en-XA');
  const mirrored = wordsFor('ar-XB');

  assert.equal(accented.t('consent.title', { name: 'Claude' }), '⟦Åļļöŵ Claude? ŧĥŕéé⟧');
  assert.match(accented.t('consent.untilDisconnectedOr', { most: 2 }), /2 đåýš/);
  assert.equal(accented.rich('host.youAreOn', { host: html`<b>x</b>` }).toString(), '⟦Ýöû åřé öñ <b>x</b> ŧĥŕéé ⟧');
  assert.equal(mirrored.t('consent.title', { name: 'Claude' }), '\u202EAllow\u202C Claude?');
  assert.deepEqual([accented.dir, mirrored.dir, mirrored.language], ['ltr', 'rtl', 'ar-XB']);
});

test('[CON-01] no word on any page calls a name verified', () => {
  const aboutNames = Object.entries(en).filter(([key]) => !key.startsWith('problem.means.'));
  for (const [key, text] of aboutNames) assert.doesNotMatch(text.replace(/unverified/gi, ''), /verified/i, key);
});
