/**
 * Owns: the page that shows an authorization code to copy, for clients of development mode with `urn:ietf:wg:oauth:2.0:oob`. Production never shows it.
 */
import { html } from 'hono/html';
import { copyButton } from './copy-button.ts';
import { displayText } from './display-text.ts';
import { icons } from './icons.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';

export type CodeDisplayPageValues = { code: string; state?: string; clientName: string };

/** Renders the code, and the state for clients that compare it. */
export function codeDisplayPage(page: PageFrame, values: CodeDisplayPageValues): string {
  const { t, rich } = page;
  const name = html`<bdi>${displayText(values.clientName) || t('client.unnamed')}</bdi>`;
  const main = html`<h1>${t('code.title')}</h1>
<p>${rich('code.text', { name })}</p>
<h2>${t('code.code')}</h2>
<div class="secret"><code id="code">${values.code}</code>${copyButton(page, 'code')}</div>
${values.state !== undefined && html`<h2>${t('code.state')}</h2><div class="secret"><code id="state">${values.state}</code>${copyButton(page, 'state')}</div>`}
<p class="care strong">${icons.warning}<span>${t('code.never')}</span></p>`;

  return renderPage(page, { title: t('code.title'), why: 'why.return', main });
}
