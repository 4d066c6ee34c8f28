import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { html } from 'hono/html';
import { type MessageKey, messages, rich, t } from './messages.ts';

const sources = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'messages.ts')
  .map((name) => readFileSync(new URL(name, import.meta.url), 'utf8'))
  .join('\n');
const computedPrefixes = [...sources.matchAll(/`([a-zA-Z.]+\.)\$\{/g)].map((match) => match[1] ?? '');

test('every message is used by a page, and no page holds words of its own', () => {
  const unused = Object.keys(messages).filter((key) => !sources.includes(`'${key}'`) && !computedPrefixes.some((prefix) => key.startsWith(prefix)));
  const markup = [...sources.matchAll(/>([^<>${}`]*)</g)].map((match) => (match[1] ?? '').trim());

  assert.deepEqual(unused, []);
  assert.deepEqual(
    markup.filter((text) => /[A-Za-z]{3,} [a-z]{2,}/.test(text) && !/[=;(]/.test(text)),
    [],
  );
});

test('a missing value is an error, never a brace on a page', () => {
  assert.throws(() => t('consent.title'), TypeError);
  assert.throws(() => rich('host.youAreOn', {}), TypeError);
  for (const key of Object.keys(messages) as MessageKey[]) {
    const names = [...messages[key].matchAll(/\{([^}]*)\}/g)].map((match) => match[1] ?? '');
    assert.doesNotMatch(t(key, Object.fromEntries(names.map((name) => [name, 'x']))), /[{}]/, key);
  }
});

test('[LOG-10] values are escaped inside rich text and are not read as placeholders themselves', () => {
  assert.equal(rich('host.youAreOn', { host: '<b>' }).toString(), 'You are on &lt;b&gt;');
  assert.equal(rich('host.youAreOn', { host: html`<b>x</b>` }).toString(), 'You are on <b>x</b>');
  assert.equal(t('redirect.foreign', { place: '{host}', host: 'b' }), 'Returns to {host}, which is not b.');
});

test('[CON-01] no word on any page calls a name verified', () => {
  for (const [key, text] of Object.entries(messages)) assert.doesNotMatch(text.replace(/unverified/gi, ''), /verified/i, key);
});
