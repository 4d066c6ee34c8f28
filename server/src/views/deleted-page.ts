/**
 * Owns: the last page of an account that was deleted.
 */
import { html } from 'hono/html';
import { icons } from './icons.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';

/** Renders the page; it has no way on, for there is nobody to go. */
export function deletedPage(page: PageFrame): string {
  const { t } = page;
  const main = html`<div class="outcome">${icons.done}<h1>${t('delete.done')}</h1><p>${t('delete.doneText')}</p></div>`;
  return renderPage(page, { title: t('delete.done'), why: 'why.home', main });
}
