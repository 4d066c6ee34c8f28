/**
 * Owns: the page between a decision and the client. A refresh is a new navigation, so `form-action 'self'` cannot kill it (CON-08), and the link
 * is there when the browser will not open an app's own scheme by itself (CON-09).
 */
import { html } from 'hono/html';
import type { ClientView } from './client-identity.ts';
import { clientIdentity } from './client-identity.ts';
import { nameInSentence } from './client-line.ts';
import { icons } from './icons.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { rich, t } from './messages.ts';
import { safeReturnHref } from './safe-href.ts';

/** `href` is the finished answer: the verified redirect URI with `code` or `error`, `state` and `iss`. */
export type ReturnPageValues = { client?: ClientView; href: string; denied: boolean };

/** Renders the way back. An address that no browser should open gets neither refresh nor link. */
export function returnPage(page: PageFrame, values: ReturnPageValues): string {
  const href = safeReturnHref(values.href);
  const name = values.client ? nameInSentence(clientIdentity(values.client, page)) : t('return.theApp');
  const main = html`<div class="outcome">${values.denied ? icons.closed : icons.done}
<h1>${values.denied ? t('return.deniedTitle') : rich('return.heading', { name })}</h1>
<p>${values.denied ? t('return.denied') : t('return.nothing')}</p>
${values.denied && href !== undefined && html`<p class="muted">${rich('return.tellApp', { name })}</p>`}</div>
${href === undefined ? !values.denied && html`<p class="note">${t('return.unsafe')}</p>` : html`<p><a class="button ${values.denied ? 'quiet' : 'main'}" href="${href}" rel="noreferrer"><span>${rich('return.continue', { name })}</span></a></p>`}
${!values.denied && html`<p class="late muted">${t('return.still')}</p>`}`;

  return renderPage(page, { title: t(values.denied ? 'return.deniedTitle' : 'return.title'), why: 'why.return', refreshTo: href, main });
}
