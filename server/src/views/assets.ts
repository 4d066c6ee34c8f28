/**
 * Owns: the files pages ask for: two of every page, each under a name made from its content so that it may be cached for ever.
 * Not owned: the routes and headers that serve them (server.ts). Nothing is fetched from another origin (AZ-28).
 */
import { receiptStylesheet } from './receipt-page.ts';
import { script } from './script.ts';
import { stylesheet } from './stylesheet.ts';

/** A file to serve at `base` + `path`, with `Cache-Control: public, max-age=31536000, immutable`. */
export type Asset = { path: string; contentType: string; body: string };

export const stylesheetAsset: Asset = { path: `/assets/${fingerprint(stylesheet)}.css`, contentType: 'text/css; charset=utf-8', body: stylesheet };
export const scriptAsset: Asset = { path: `/assets/${fingerprint(script)}.js`, contentType: 'text/javascript; charset=utf-8', body: script };

/** Named by the version of the receipts it belongs to, and never changed. */
const receiptAsset: Asset = { path: '/assets/receipt-2.css', contentType: 'text/css; charset=utf-8', body: receiptStylesheet };

export const assets: readonly Asset[] = [stylesheetAsset, scriptAsset, receiptAsset];

/** Two FNV-1a sums: a name for a cache, not a proof. `crypto.subtle` would make loading this module asynchronous. */
function fingerprint(text: string): string {
  return [0x811c9dc5, 0x050c5d1f]
    .map((seed) => [...text].reduce((sum, letter) => Math.imul(sum ^ (letter.codePointAt(0) ?? 0), 0x01000193), seed) >>> 0)
    .map((sum) => sum.toString(16).padStart(8, '0'))
    .join('');
}
