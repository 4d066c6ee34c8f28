/**
 * Owns: the form by which an answer is posted to a client (OAuth 2.0 Form Post Response Mode). The address has passed `safeReturnHref`; the page's content
 * policy must name its origin, else browsers hold the form back.
 */
import { html } from 'hono/html';
import type { Markup } from './layout.ts';

/** `auto` lets the script of the pages send it at once; without script there is `button`. */
export function postForm(href: string, fields: Readonly<Record<string, string>>, button: Markup, { auto }: { auto: boolean }): Markup {
  const hidden = Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`);
  return html`<form method="post" action="${href}"${auto && html` data-auto`}>
${hidden}${button}</form>`;
}
