/**
 * Owns: the page where a code from a mail is entered, and what the link in the mail shows in another browser. One field, so that pasting and filling in work. It never
 * says whether there is an account.
 */
import { html } from 'hono/html';
import { errorSummary } from './error-summary.ts';
import { hiddenFields } from './hidden-fields.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import type { Words } from './words.ts';

/** `over`: no further code is looked at. */
export type CodeProblem = 'malformed' | 'wrong' | 'over';

export type CodePageValues = {
  purpose: 'sign-in' | 'sign-up';
  hidden: Readonly<Record<string, string>>;
  /** Where another code is asked for. */
  again: string;
  /** As it was typed. */
  email?: string;
  /** From the link in the mail, for this browser: sent at once where there is script. */
  code?: string;
  problem?: CodeProblem;
};

/** Renders the form that posts the hidden fields and `code` to `{base}/code`. */
export function codePage(page: PageFrame, values: CodePageValues): string {
  const { t, rich } = page;
  const { purpose, hidden, email, code, problem } = values;
  if (problem === 'over') return overPage(page, values.again);
  const text = problem && t(`mailCode.error.${problem}`);
  const sent = email === undefined ? t('mailCode.sent') : rich(`mailCode.sentTo.${purpose}`, { email: html`<strong><bdi>${email}</bdi></strong>` });
  const main = html`${errorSummary(page, text === undefined ? [] : [{ field: 'code', text }])}
<h1>${t(code === undefined ? 'mailCode.title' : 'mailCode.here')}</h1>
${code === undefined && html`<p>${sent}</p>`}
${codeForm(page, { hidden, code, invalid: problem !== undefined })}
<p class="small">${t('mailCode.nothing')} <a href="${page.base}${values.again}">${t('mailCode.again')}</a></p>`;

  return renderPage(page, { title: t('mailCode.title'), why: 'why.code', main });
}

/** There is nothing left to enter. */
function overPage(page: PageFrame, again: string): string {
  const { t } = page;
  const title = t('problem.case.codeClosed.title');
  const main = html`<h1>${title}</h1><p role="alert">${t('mailCode.error.over')}</p>
<p><a class="button main" href="${page.base}${again}">${t('mailCode.again')}</a></p>`;
  return renderPage(page, { title, why: 'why.code', main });
}

function codeForm(page: PageFrame, { hidden, code, invalid }: { hidden: CodePageValues['hidden']; code?: string; invalid: boolean }): Markup {
  const { t } = page;
  return html`<form method="post" action="${page.base}/code"${code !== undefined && html` data-auto`}>
${hiddenFields(hidden)}${codeField(page, { code, invalid })}
<button type="submit" class="button main" data-busy>${t('mailCode.submit')}</button>
</form>`;
}

function codeField({ t }: Words, { code, invalid }: { code?: string; invalid: boolean }): Markup {
  return html`<div class="field"><label for="code">${t('mailCode.label')}</label><p class="hint" id="code-hint">${t('mailCode.hint')}</p>
<input id="code" name="code" class="user-code" type="text" inputmode="numeric" required maxlength="24" autocomplete="one-time-code" autocapitalize="none" autocorrect="off" spellcheck="false" aria-describedby="${invalid ? 'problems code-hint' : 'code-hint'}"${code !== undefined && html` value="${code}"`}${invalid ? html` aria-invalid="true"` : html` autofocus`}></div>`;
}

/** Renders the code for the browser that asked, with what to do when nobody asked. */
export function codeElsewherePage(page: PageFrame, values: { purpose: 'sign-in' | 'sign-up'; code: string }): string {
  const { t } = page;
  const main = html`<h1>${t('mailCode.elsewhere')}</h1>
<p>${t(`mailCode.elsewhereText.${values.purpose}`)}</p>
<p class="device-code"><bdi>${values.code}</bdi></p>
<p class="care">${t('mailCode.never')}</p>`;
  return renderPage(page, { title: t('mailCode.elsewhere'), why: 'why.code', main });
}
