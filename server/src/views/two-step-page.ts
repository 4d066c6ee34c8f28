/**
 * Owns: the page that sets up the second step of a sign-in: the secret as a QR code and as text, and the first code as proof that the app has it.
 */
import { html } from 'hono/html';
import { copyButton } from './copy-button.ts';
import { errorSummary } from './error-summary.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { qrCode } from './qr-code.ts';

export type TwoStepValues = {
  csrf: string;
  /** The secret, sealed, given back by the form. */
  sealed: string;
  /** The secret in base32. */
  key: string;
  /** What the QR code holds. */
  keyUri: string;
  wrong?: boolean;
};

/** Renders the form that posts `csrf`, `sealed` and `code` to `{base}/account/security/two-step`. */
export function twoStepPage(page: PageFrame, values: TwoStepValues): string {
  const { t } = page;
  const key = values.key.match(/.{1,4}/g)?.join(' ') ?? '';
  const main = html`${errorSummary(page, values.wrong ? [{ field: 'code', text: t('twoStep.wrong') }] : [])}
<h1>${t('twoStep.setUpTitle')}</h1>
<p>${t('twoStep.scan')}</p>
${qrCode(values.keyUri)}
<h2>${t('twoStep.key')}</h2>
<div class="secret"><code id="key">${key}</code>${copyButton(page, 'key')}</div>
<form method="post" action="${page.base}/account/security/two-step">
<input type="hidden" name="csrf" value="${values.csrf}"><input type="hidden" name="sealed" value="${values.sealed}">
<div class="field"><label for="code">${t('twoStep.code')}</label>
<input id="code" name="code" type="text" inputmode="numeric" required autocomplete="one-time-code" spellcheck="false" maxlength="12"${values.wrong && html` aria-invalid="true" aria-describedby="problems"`}></div>
<button type="submit" class="button main" data-busy>${t('twoStep.turnOn')}</button>
</form>
<p class="center"><a class="quiet-link" href="${page.base}/account/security">${t('security.back')}</a></p>`;

  return renderPage(page, { title: t('twoStep.setUpTitle'), why: 'why.account', main });
}
