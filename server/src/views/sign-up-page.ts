/**
 * Owns: the page where somebody without an account gives their e-mail address. It is the same for every address.
 */
import { html } from 'hono/html';
import { type ClientView, clientIdentity } from './client-identity.ts';
import { nameInSentence } from './client-line.ts';
import { errorSummary } from './error-summary.ts';
import { hiddenFields } from './hidden-fields.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { waitText } from './moments.ts';

export type SignUpProblem = 'missing' | 'invalid' | 'throttled';
export type SignUpPageValues = {
  hidden: Readonly<Record<string, string>>;
  client?: ClientView;
  email?: string;
  problem?: SignUpProblem;
  retryAfterSeconds?: number;
};

/** Renders the form that posts the hidden fields and `email` to `{base}/signup`. */
export function signUpPage(page: PageFrame, values: SignUpPageValues): string {
  const { t, rich } = page;
  const { problem, email, client } = values;
  const text =
    problem && (problem === 'throttled' ? t('error.throttled', { wait: waitText(values.retryAfterSeconds ?? 1, page) }) : t(`signUp.error.${problem}`));
  const invalid = problem === 'missing' || problem === 'invalid';
  const { tx } = values.hidden;
  const main = html`${errorSummary(page, text === undefined ? [] : [{ field: 'email', text }])}
<h1>${t('signUp.title')}</h1>
<p>${client ? rich('signUp.back', { name: nameInSentence(page, clientIdentity(client, page)) }) : t('signUp.text')}</p>
<form method="post" action="${page.base}/signup">
${hiddenFields(values.hidden)}<div class="field"><label for="email">${t('signUp.email')}</label><p class="hint" id="email-hint">${t('signUp.emailHint')}</p>
<input id="email" name="email" type="email" required autocomplete="email" autocapitalize="none" spellcheck="false" maxlength="254" aria-describedby="${invalid ? 'problems email-hint' : 'email-hint'}"${email !== undefined && html` value="${email}"`}${invalid && html` aria-invalid="true"`}${problem === undefined && html` autofocus`}></div>
<button type="submit" class="button main" data-busy>${t('signUp.submit')}</button>
</form>
<p class="beside"><a href="${page.base}/login${tx === undefined ? '' : `?tx=${encodeURIComponent(tx)}`}">${t('signUp.instead')}</a></p>`;

  return renderPage(page, { title: t('signUp.title'), why: 'why.signUp', main });
}
