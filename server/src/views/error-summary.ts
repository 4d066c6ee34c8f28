/**
 * Owns: the box above a form that says what was wrong and links to each field. It takes the focus, so a screen reader reads it first.
 */
import { html } from 'hono/html';
import type { Markup } from './layout.ts';
import type { Words } from './words.ts';

export type FieldProblem = { /** id of the field */ field: string; text: string };

/** Renders the summary; nothing when there is no problem. */
export function errorSummary({ t }: Words, problems: readonly FieldProblem[]): Markup | undefined {
  if (problems.length === 0) return undefined;
  return html`<div class="problems" role="alert" tabindex="-1" autofocus id="problems"><p><strong>${t('error.summary')}</strong></p>
<ul>${problems.map(({ field, text }) => html`<li><a href="#${field}">${text}</a></li>`)}</ul></div>`;
}
