/**
 * Owns: a plain page with a title and a text, for anything that needs no form.
 */
import { html } from 'hono/html';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';

export type NoticePageValues = { title: string; text: string };

/** Renders the notice. */
export function noticePage(page: PageFrame, values: NoticePageValues): string {
  return renderPage(page, { title: values.title, why: 'why.home', main: html`<h1>${values.title}</h1><p class="lead">${values.text}</p>` });
}
