/** Owns: a command to type at a machine, in the middle of a sentence. It breaks between its words only: half of `setup-link` is no word of it. */
import { html } from 'hono/html';
import type { Markup } from './words.ts';

/** Returns `text` as code; copied, it is the text again. */
export function commandLine(text: string): Markup {
  const words = text.split(' ').map((word, index) => html`${index > 0 && ' '}<span>${word}</span>`);
  return html`<code class="command">${words}</code>`;
}
