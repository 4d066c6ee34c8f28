/**
 * Owns: the button that copies the text of an element. It is hidden until the script shows it, because without script it could do nothing.
 */
import { html } from 'hono/html';
import type { MessageKey, Words } from './words.ts';

/** Renders a button that copies the text of the element with the id `target`. */
export function copyButton({ t }: Words, target: string, label: MessageKey = 'layout.copy') {
  return html`<button type="button" class="copy" hidden data-copy="${target}" data-done="${t('layout.copied')}">${t(label)}</button>`;
}
