/**
 * Owns: the pages of a forgotten password: ask for a link, what comes next, choose a new one, done. Asking says the same to everybody.
 */
import { html } from 'hono/html';
import { errorSummary } from './error-summary.ts';
import { hiddenFields } from './hidden-fields.ts';
import { icons } from './icons.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { waitText } from './moments.ts';
import { newPasswordText, type PasswordProblemName } from './new-password-text.ts';
import { passwordField } from './password-field.ts';

export type ResetProblem = 'missing' | 'throttled';
export type ResetPageValues = {
  hidden: Readonly<Record<string, string>>;
  /** Whether this service sends mail; without it only an operator can help. */
  mail: boolean;
  username?: string;
  problem?: ResetProblem;
  retryAfterSeconds?: number;
};

/** Renders the form that posts the hidden fields and `username` to `{base}/reset`. */
export function resetPage(page: PageFrame, values: ResetPageValues): string {
  const { t } = page;
  const { problem, username } = values;
  if (!values.mail) {
    const text = html`<h1>${t('reset.title')}</h1><p class="lead">${t('reset.noMail', { service: page.serviceName })}</p>`;
    return renderPage(page, { title: t('reset.title'), why: 'why.reset', main: text });
  }
  const text = problem && (problem === 'throttled' ? t('error.throttled', { wait: waitText(values.retryAfterSeconds ?? 1, page) }) : t('reset.error.missing'));
  const main = html`${errorSummary(page, text === undefined ? [] : [{ field: 'username', text }])}
<h1>${t('reset.title')}</h1><p>${t('reset.text')}</p>
<form method="post" action="${page.base}/reset">
${hiddenFields(values.hidden)}<div class="field"><label for="username">${t('signIn.username')}</label>
<input id="username" name="username" type="text" inputmode="email" required autocomplete="username" autocapitalize="none" autocorrect="off" spellcheck="false" maxlength="320"${username !== undefined && html` value="${username}"`}${problem === 'missing' && html` aria-invalid="true" aria-describedby="problems"`}${problem === undefined && html` autofocus`}></div>
<button type="submit" class="button main" data-busy>${t('reset.submit')}</button>
</form>`;

  return renderPage(page, { title: t('reset.title'), why: 'why.reset', main });
}

/** Renders what everybody sees after asking. */
export function resetSentPage(page: PageFrame, values: { signInHref: string }): string {
  const { t } = page;
  const main = html`<h1>${t('reset.sentTitle')}</h1><p>${t('reset.sentText')}</p><p>${t('reset.sentNothing')}</p>
<p><a class="button quiet" href="${values.signInHref}">${t('reset.signIn')}</a></p>`;
  return renderPage(page, { title: t('reset.sentTitle'), why: 'why.reset', main });
}

export type NewPasswordPageValues = {
  hidden: Readonly<Record<string, string>>;
  /** So that password managers know whose password it is. */
  username: string;
  minLength: number;
  problem?: PasswordProblemName;
};

/** Renders the form that posts the hidden fields and `password` to `{base}/reset`. */
export function newPasswordPage(page: PageFrame, values: NewPasswordPageValues): string {
  const { t } = page;
  const { username, minLength } = values;
  const problem = values.problem && newPasswordText(page, values.problem, minLength);
  const main = html`${errorSummary(page, problem === undefined ? [] : [{ field: 'password', text: problem }])}
<h1>${t('reset.newTitle')}</h1><p>${t('reset.newText')}</p>
<form method="post" action="${page.base}/reset">
${hiddenFields(values.hidden)}<div class="field"><label for="username">${t('reset.for')}</label>
<input id="username" name="username" type="text" value="${username}" readonly autocomplete="username"></div>
${passwordField(page, { autocomplete: 'new-password', hint: t('password.hint', { count: minLength }), minLength, problem, autofocus: problem === undefined, replaces: true })}
<button type="submit" class="button main" data-busy>${t('reset.save')}</button>
</form>`;

  return renderPage(page, { title: t('reset.newTitle'), why: 'why.reset', main });
}

/** Renders what a new password has changed and what not. */
export function resetDonePage(page: PageFrame, values: { signInHref: string; agentsHref: string }): string {
  const { t } = page;
  const main = html`<div class="outcome">${icons.done}<h1>${t('reset.doneTitle')}</h1></div>
<p>${t('reset.doneText')}</p>
<p><a class="button main" href="${values.signInHref}">${t('reset.signIn')}</a></p>
<p class="care">${t('reset.doneAgents')} <a href="${values.agentsHref}">${t('reset.review')}</a></p>`;
  return renderPage(page, { title: t('reset.doneTitle'), why: 'why.reset', main });
}
