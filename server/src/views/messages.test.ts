/**
 * Every file of messages: it parses, it says nothing that English does not say, and takes the same values. What a language lacks is told; a complete one lacks nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IntlMessageFormat } from 'intl-messageformat';
import { type Messages, translations } from '#assets';
import en from '../assets/messages/en.json' with { type: 'json' };
import { languages } from '../languages.ts';

const messages: Record<string, Messages> = { en, ...translations };

type Element = ReturnType<IntlMessageFormat['getAst']>[number];

/** The placeholders of a message with their kinds, as `name:type`. Throws what the parser throws. */
function placeholders(text: string, language: string): string[] {
  const walk = (elements: readonly Element[]): string[] =>
    elements.flatMap((element) => {
      const inside = 'options' in element ? Object.values(element.options).flatMap((option) => walk(option.value)) : [];
      return 'value' in element && element.type !== 0 ? [`${element.value}:${element.type}`, ...inside] : inside;
    });
  return [...new Set(walk(new IntlMessageFormat(text, language, undefined, { ignoreTag: true }).getAst()))].sort();
}

for (const { tag, name, state } of languages) {
  const own = messages[tag] ?? {};
  const missing = Object.keys(en).filter((key) => !(key in own));

  test(`${tag} (${name}): every message parses and takes the values that the English one takes`, () => {
    for (const [key, text] of Object.entries(own)) {
      assert.ok(key in en, `${key} is no message`);
      assert.deepEqual(
        placeholders(text, tag),
        placeholders(en[key as keyof typeof en], 'en'),
        `${key} (if English has changed, translate it anew or take it out of ${tag}.json)`,
      );
    }
  });

  test(`${tag} (${name}): ${state === 'complete' ? 'no message is missing' : `${missing.length} messages are said in English`}`, () => {
    if (state === 'complete') assert.deepEqual(missing, []);
  });

  test(`${tag} (${name}): Intl knows the language`, () => {
    assert.equal(Intl.DateTimeFormat.supportedLocalesOf(tag).length, 1);
  });
}

test('every language has its file, and every file its language', () => {
  assert.deepEqual(Object.keys(messages).sort(), languages.map(({ tag }) => tag).sort());
});

test('the same value stands where plurals do: a message with another placeholder, or one that does not parse, is found', () => {
  assert.deepEqual(placeholders('{count, plural, one {# day of {name}} other {# days of {name}}}', 'en'), ['count:6', 'name:1']);
  assert.throws(() => placeholders('{count, plural, one {#}', 'en'));
});
