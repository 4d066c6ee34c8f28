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
<label for="${id}">${t('language.label')}</label> <select id="${id}" name="language">${languages.map(
    ({ tag, name }) => html`<option value="${tag}" lang="${tag}"${tag === page.language && html` selected`}>${inAscii(name)}</option>`,
  )}</select> <button type="submit">${t('language.submit')}</button></form>`;
}
