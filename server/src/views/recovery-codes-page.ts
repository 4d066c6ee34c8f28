/**
 * Owns: the page that shows recovery codes, this once, to be written down or printed.
 */
import { html } from 'hono/html';
import { copyButton } from './copy-button.ts';
import { icons } from './icons.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';

/** `fresh`: the second step was turned on just now. */
export type RecoveryCodesValues = { codes: readonly string[]; user: string; fresh: boolean };

export function recoveryCodesPage(page: PageFrame, { codes, user, fresh }: RecoveryCodesValues): string {
  const { t, rich } = page;
  const title = t(fresh ? 'recoveryCodes.onTitle' : 'recoveryCodes.title');
  const main = html`<div class="outcome">${icons.done}<h1>${title}</h1></div>
<p>${t('recoveryCodes.text')}</p>
<p>${rich('recoveryCodes.of', { user: html`<strong><bdi>${user}</bdi></strong>`, service: page.serviceName })}</p>
<div class="secret"><pre tabindex="0"><code id="codes">${codes.join('\n')}</code></pre>${copyButton(page, 'codes')}</div>
<p class="care strong">${icons.warning}<span>${t('recoveryCodes.never')}</span></p>
<p><a class="button main" href="${page.base}/account/security">${t('recoveryCodes.stored')}</a></p>`;

  return renderPage(page, { title, why: 'why.account', main });
}
