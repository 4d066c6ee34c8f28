/**
 * Owns: the words of every page, one file of messages per language in ICU MessageFormat (assets/messages/), and the two ways to fill their placeholders. What a
 * language lacks is said in English. Not owned: which language a person reads (language.ts), escaping. `t` returns plain text for the template to escape.
 */

import { html } from 'hono/html';
import { IntlMessageFormat } from 'intl-messageformat';
import { translations } from '#assets';
import en from '../assets/messages/en.json' with { type: 'json' };
import { languages, pseudoLanguages } from '../languages.ts';
import { pseudoMessage } from './pseudo-words.ts';

/** What `html` returns. Templates here never hold a promise, so it is always the finished text. */
export type Markup = ReturnType<typeof html>;

// The constant puts the keys themselves into the declarations we publish: many compilers refuse an import of JSON there.
const english = en;
export type MessageKey = keyof typeof english;

/** The words of one language. Both functions stand alone: `const { t } = page`. */
export type Words = {
  /** BCP 47, for example `pt-BR`. */
  language: string;
  dir: 'ltr' | 'rtl';
  /**
   * Returns the text of `key` with its placeholders filled, unescaped. Throws when a placeholder has no value.
   * @example t('signIn.continue', { name: 'Claude Code' })
   */
  t(key: MessageKey, values?: Readonly<Record<string, string | number>>): string;
  /**
   * Returns the text of `key` as markup: strings are escaped, markup made by `html` is set in as it is. For emphasis whose place differs between languages.
   * @example rich('host.youAreOn', { host: html`<strong>${host}</strong>` })
   */
  rich(key: MessageKey, values?: Readonly<Record<string, unknown>>): Markup;
};

type Messages = Partial<Readonly<Record<MessageKey, string>>>;
const known = new Map<string, Words>();

/** The text as a key, where it is one: for words that only some values have. */
export function keyOf(text: string): MessageKey | undefined {
  return Object.hasOwn(en, text) ? (text as MessageKey) : undefined;
}

/** The words of a language, made once; of English for one that is not there. */
export function wordsFor(language: string): Words {
  const own: Messages | undefined = Object.hasOwn(translations, language) ? translations[language] : undefined;
  const available = own || isPseudo(language) ? language : 'en';
  const words = known.get(available) ?? makeWords(available, own ?? {});
  known.set(available, words);
  return words;
}

function isPseudo(language: string): language is 'en-XA' | 'ar-XB' {
  return language === 'en-XA' || language === 'ar-XB';
}

function makeWords(language: string, own: Messages): Words {
  const formats = new Map<MessageKey, IntlMessageFormat | string>();

  /** Parsed when first said; a text with nothing to fill in, as most are, is not asked again. `<` is a letter here: markup comes from values, never from a message. */
  function format(key: MessageKey): IntlMessageFormat | string {
    const known = formats.get(key);
    if (known !== undefined) return known;
    const text = own[key];
    const source = isPseudo(language) ? pseudoMessage(en[key], language) : (text ?? en[key]);
    const parsed = new IntlMessageFormat(source, text === undefined ? 'en' : language, undefined, { ignoreTag: true });
    const made = typeof source === 'string' && !source.includes('{') ? String(parsed.format()) : parsed;
    formats.set(key, made);
    return made;
  }

  return {
    language,
    dir: [...languages, ...pseudoLanguages].find(({ tag }) => tag === language)?.dir ?? 'ltr',
    t(key, values) {
      const known = format(key);
      return typeof known === 'string' ? known : String(known.format(values));
    },
    rich(key, values) {
      const known = format(key);
      const parts = typeof known === 'string' ? [known] : known.formatToParts(values as Record<string, string>).map(({ value }) => value);
      return html`${parts}`;
    },
  };
}
