/**
 * Owns: the page of the second step of a sign-in, one field for a code of the app or a recovery code, and the page that says how many recovery codes are left.
 */
import { html } from 'hono/html';
import type { FieldProblem } from './error-summary.ts';
import { errorSummary } from './error-summary.ts';
import { hiddenFields } from './hidden-fields.ts';
import { icons } from './icons.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { waitText } from './moments.ts';

export type SecondStepProblem = 'wrong' | 'throttled';
export type SecondStepValues = {
  csrf: string;
  /** What waits behind the sign-in, as hidden fields. */
  onward: Readonly<Record<string, string>>;
  problem?: SecondStepProblem;
  retryAfterSeconds?: number;
};

/** Renders the form that posts `csrf`, `code` and what waits to `{base}/login/second`. */
export function secondStepPage(page: PageFrame, values: SecondStepValues): string {
  const { t } = page;
  const wrong = values.problem === 'wrong';
  const main = html`${errorSummary(page, problemsOf(page, values))}
<h1>${t('secondStep.title')}</h1>
<p>${t('secondStep.text')}</p>
<form method="post" action="${page.base}/login/second">
${hiddenFields({ ...values.onward, csrf: values.csrf })}
<div class="field"><label for="code">${t('secondStep.code')}</label>
<input id="code" name="code" type="text" required autocomplete="one-time-code" autocapitalize="characters" autocorrect="off" spellcheck="false" maxlength="40"${wrong && html` aria-invalid="true" aria-describedby="problems"`}${!values.problem && html` autofocus`}></div>
<button type="submit" class="button main" data-busy>${t('secondStep.submit')}</button>
</form>
<details><summary>${t('secondStep.lost')}</summary><p>${t('secondStep.lostText', { service: page.serviceName })}</p></details>`;

  return renderPage(page, { title: t('secondStep.title'), why: 'why.signIn', main });
}

function problemsOf(page: PageFrame, { problem, retryAfterSeconds }: SecondStepValues): FieldProblem[] {
  const { t } = page;
  if (problem === undefined) return [];
  if (problem === 'wrong') return [{ field: 'code', text: t('secondStep.wrong') }];
  const text = retryAfterSeconds === undefined ? t('error.throttledSoon') : t('error.throttled', { wait: waitText(retryAfterSeconds, page) });
  return [{ field: 'code', text }];
}

/** Renders word of a used recovery code, with the way on and the way to new ones. */
export function recoveryUsedPage(page: PageFrame, { left, onwardHref }: { left: number; onwardHref: string }): string {
  const { t } = page;
  const main = html`<div class="outcome">${icons.warning}<h1>${t('recoveryUsed.title')}</h1><p>${t('recoveryUsed.left', { count: left })}</p></div>
<p><a class="button main" href="${onwardHref}">${t('recoveryUsed.onward')}</a></p>
<p class="center"><a class="quiet-link" href="${page.base}/account/security">${t('recoveryUsed.manage')}</a></p>`;

  return renderPage(page, { title: t('recoveryUsed.title'), why: 'why.signIn', main });
}
