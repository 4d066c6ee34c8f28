/**
 * Owns: two addresses one above the other with the characters marked in which they differ. What cannot be seen is spelled out, because it may be the difference.
 * Not owned: finding the difference (rules/difference.ts).
 */
import { html } from 'hono/html';
import type { Markup } from './layout.ts';
import type { Words } from './words.ts';

type Run = { text: string; same: boolean };
export type DifferenceValues = { asked: readonly Run[]; known: readonly Run[] };

/** Renders what was asked for above what is registered. */
export function differenceList({ t }: Words, { asked, known }: DifferenceValues): Markup {
  const rows = [
    [t('problem.difference.asked'), asked],
    [t('problem.difference.known'), known],
  ] as const;
  return html`<dl class="difference">${rows.map(([name, runs]) => html`<div><dt>${name}</dt><dd><code dir="ltr">${runs.map(marked)}</code></dd></div>`)}</dl>
<p class="hint">${t('problem.difference.hint')}</p>`;
}

function marked({ text, same }: Run): Markup {
  return same ? html`${spelled(text)}` : html`<mark>${spelled(text)}</mark>`;
}

/** `U+200B` for whatever is no visible ASCII character. */
function spelled(text: string): string {
  return [...text].map((character) => (/^[\x21-\x7e]$/.test(character) ? character : `[U+${codePoint(character)}]`)).join('');
}

function codePoint(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
