/**
 * Owns: the page on which a person chooses a new password for their account, or their first one.
 */
import { html } from 'hono/html';
import { errorSummary } from './error-summary.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { newPasswordText, type PasswordProblemName } from './new-password-text.ts';
import { passwordField } from './password-field.ts';

export type PasswordPageValues = {
  csrf: string;
  /** For password managers, which file the new password under it. */
  username: string;
  /** Whether there is one to be replaced. */
  hasPassword: boolean;
  minLength: number;
  problem?: PasswordProblemName;
};

/** Renders the form that posts `csrf`, `password` and `others=1` to `{base}/account/security/password`. */
export function passwordPage(page: PageFrame, values: PasswordPageValues): string {
  const { t, base } = page;
  const { problem, minLength } = values;
  const text = problem && newPasswordText(page, problem, minLength);
  const title = t(values.hasPassword ? 'password.change' : 'password.set');
  const main = html`${errorSummary(page, text ? [{ field: 'password', text }] : [])}
<h1>${title}</h1>
<form method="post" action="${base}/account/security/password">
<input type="hidden" name="csrf" value="${values.csrf}">
<div class="field"><label for="username">${t('signIn.username')}</label><input id="username" name="username" type="text" value="${values.username}" autocomplete="username" readonly></div>
${passwordField(page, { autocomplete: 'new-password', hint: t('password.hint', { count: minLength }), minLength, problem: text, autofocus: !text, replaces: values.hasPassword })}
<label class="check"><input type="checkbox" name="others" value="1" checked aria-describedby="others-hint"><span>${t('password.others')}</span></label>
<p class="hint" id="others-hint">${t('password.othersHint')}</p>
<button type="submit" class="button main" data-busy>${t('password.save')}</button>
</form>
<p class="center"><a class="quiet-link" href="${base}/account/security">${t('security.back')}</a></p>`;

  return renderPage(page, { title, why: 'why.account', main });
}
