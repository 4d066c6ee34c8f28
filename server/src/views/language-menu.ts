/**
 * Owns: the choice of a language, in the footer of every page and wherever a page wants it. A form with a button, so it needs no script; each language is named in
 * itself. Not owned: what choosing does (account/language.ts).
 */
import { html } from 'hono/html';
import { inAscii } from './in-ascii.ts';
import type { Markup, Words } from './words.ts';

/** `at` says where the person is, under a mark of ours. */
export type LanguageMenu = { languages: readonly { tag: string; name: string }[]; at: string };

/** Renders the form that posts `language` and `at` to `{base}/language`. `id` tells two menus of one page apart. */
export function languageMenu(page: Words & { base: string }, { languages, at }: LanguageMenu, id = 'language'): Markup {
  const { t } = page;
  return html`<form class="language" method="post" action="${page.base}/language"><input type="hidden" name="at" value="${at}">
<label for="${id}">${t('language.label')}</label> <select id="${id}" name="language">${choices(languages, page.language)}</select> <button type="submit">${t('language.submit')}</button></form>`;
}

/** The same for every page in one language. */
function choices(languages: LanguageMenu['languages'], chosen: string): Markup {
  const known = made.get(languages) ?? new Map<string, Markup>();
  made.set(languages, known);
  const options = known.get(chosen) ?? html`${languages.map(({ tag, name }) => option(tag, name, tag === chosen))}`;
  known.set(chosen, options);
  return options;
}
const made = new WeakMap<LanguageMenu['languages'], Map<string, Markup>>();

function option(tag: string, name: string, selected: boolean): Markup {
  return html`<option value="${tag}" lang="${tag}"${selected && html` selected`}>${inAscii(name)}</option>`;
}
