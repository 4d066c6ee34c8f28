/**
 * Owns: the form that creates the first operator from a one-time link, and the page that shows the owner token once. There is no default password.
 */
import { html } from 'hono/html';
import { copyButton } from './copy-button.ts';
import type { FieldProblem } from './error-summary.ts';
import { errorSummary } from './error-summary.ts';
import { icons } from './icons.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { newPasswordText, type PasswordProblemName } from './new-password-text.ts';
import { passwordField } from './password-field.ts';
import type { Words } from './words.ts';

export type SetupProblem = { field: 'username' | 'email'; problem: 'missing' | 'invalid' | 'taken' } | { field: 'password'; problem: PasswordProblemName };
export type SetupPageValues = {
  /** The one-time setup token, given back by the form. */
  token: string;
  csrf: string;
  /** Of a password, in characters; undefined where there are no passwords. */
  minLength?: number;
  errors?: readonly SetupProblem[];
  username?: string;
  email?: string;
};

/** Renders the form that posts `token`, `csrf`, `username`, `email` and `password` to `{base}/setup`. */
export function setupPage(page: PageFrame, values: SetupPageValues): string {
  const { t } = page;
  const { minLength } = values;
  const problems: FieldProblem[] = (values.errors ?? []).map((error) => ({ field: error.field, text: textOf(page, error, minLength ?? 0) }));
  const problemOf = (field: SetupProblem['field']) => problems.find((problem) => problem.field === field)?.text;
  const title = t('setup.title', { service: page.serviceName });
  const main = html`${errorSummary(page, problems)}<h1>${title}</h1><p>${t('setup.text')}</p>
<form method="post" action="${page.base}/setup">
<input type="hidden" name="token" value="${values.token}"><input type="hidden" name="csrf" value="${values.csrf}">
${textField(page, 'username', { autocomplete: 'username', type: 'text', value: values.username, problem: problemOf('username'), autofocus: problems.length === 0 })}
${textField(page, 'email', { autocomplete: 'email', type: 'email', value: values.email, problem: problemOf('email') })}
${minLength !== undefined && passwordField(page, { autocomplete: 'new-password', hint: t('password.hint', { count: minLength }), minLength, problem: problemOf('password') })}
<button type="submit" class="button main" data-busy>${t('setup.submit')}</button>
</form>`;

  return renderPage(page, { title, why: 'why.setup', main });
}

function textOf(page: PageFrame, error: SetupProblem, minLength: number): string {
  if (error.field === 'password') return newPasswordText(page, error.problem, minLength);
  return page.t(`setup.error.${error.problem}`, { field: page.t(`setup.${error.field}`) });
}

type TextField = { autocomplete: string; type: 'text' | 'email'; value?: string; problem?: string; autofocus?: boolean };

function textField({ t }: Words, name: 'username' | 'email', field: TextField): Markup {
  return html`<div class="field"><label for="${name}">${t(`setup.${name}`)}</label>
${field.problem && html`<p class="problem" id="${name}-problem">${field.problem}</p>`}
<input id="${name}" name="${name}" type="${field.type}" required autocomplete="${field.autocomplete}" autocapitalize="none" spellcheck="false" maxlength="320"${field.value !== undefined && html` value="${field.value}"`}${field.problem && html` aria-invalid="true" aria-describedby="${name}-problem"`}${field.autofocus && html` autofocus`}></div>`;
}

/** `exampleCurl` is a command that works as it stands once the token is in it. */
export type SetupDonePageValues = { ownerToken: string; exampleCurl: string };

/** Renders the owner token, this once. */
export function setupDonePage(page: PageFrame, values: SetupDonePageValues): string {
  const { t } = page;
  const main = html`<div class="outcome">${icons.done}<h1>${t('setup.doneTitle')}</h1></div>
<p>${t('setup.doneText')}</p>
<h2>${t('setup.token')}</h2>
<div class="secret"><code id="owner-token">${values.ownerToken}</code>${copyButton(page, 'owner-token')}</div>
<p class="care strong">${icons.warning}<span>${t('setup.doneNever')}</span></p>
<h2>${t('setup.next')}</h2>
<div class="secret"><pre tabindex="0"><code id="example">${values.exampleCurl}</code></pre>${copyButton(page, 'example')}</div>`;

  return renderPage(page, { title: t('setup.doneTitle'), why: 'why.setup', width: 'wide', main });
}
