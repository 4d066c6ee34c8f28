/**
 * Owns: a QR code as SVG: dark on white in every colour scheme, because cameras need it so. For people it is hidden from assistive technology: the text it holds
 * stands beside it.
 */
import { html } from 'hono/html';
import { encode } from 'uqr';
import type { Markup } from './layout.ts';

/** Renders `text` as one path, with the quiet zone of four modules that the standard asks for. */
export function qrCode(text: string): Markup {
  const { data, size } = encode(text, { border: 4 });
  const squares = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return html`<svg class="qr" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges" aria-hidden="true"><rect width="${size}" height="${size}" fill="#fff"/><path fill="#000" d="${squares.join('')}"/></svg>`;
}
