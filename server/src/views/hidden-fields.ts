/**
 * Owns: the fields of a form that the person does not see.
 */
import { html } from 'hono/html';
import type { Markup } from './layout.ts';

/** Renders one field per member; names are ours, values may be anybody's. */
export function hiddenFields(fields: Readonly<Record<string, string>>): Markup {
  return html`${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">\n`)}`;
}
