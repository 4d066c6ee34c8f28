/**
 * Owns: the last page of becoming a person here: a name nobody needs to give, and a password. The address is known by now and cannot be changed here.
 */
import { html } from 'hono/html';
import { type ClientView, clientIdentity } from './client-identity.ts';
import { nameInSentence } from './client-line.ts';
import { errorSummary, type FieldProblem } from './error-summary.ts';
import { hiddenFields } from './hidden-fields.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { newPasswordText, type PasswordProblemName } from './new-password-text.ts';
import { passwordField } from './password-field.ts';
import { type UpstreamButton, upstreamForm } from './upstream-buttons.ts';

export type NewAccountProblem =
  | { field: 'name'; problem: 'invalid' }
  | { field: 'email'; problem: 'taken' }
  | { field: 'password'; problem: PasswordProblemName };

export type NewAccountPageValues = {
  path: string;
  hidden: Readonly<Record<string, string>>;
  email: string;
  /** Somebody who runs the service sent a link. */
  invited: boolean;
  /** Optional where codes by mail are a way in of their own; false where there are no passwords. */
  password: 'needed' | 'optional' | false;
  minLength: number;
  client?: ClientView;
  /** Where they may accept with an account elsewhere. */
  upstreams?: readonly UpstreamButton[];
  name?: string;
  problems?: readonly NewAccountProblem[];
};

/** Renders the form that posts the hidden fields, `name` and `password` to `{base}{path}`. */
export function newAccountPage(page: PageFrame, values: NewAccountPageValues): string {
  const { t, rich } = page;
  const { email, minLength, client } = values;
  const problems: FieldProblem[] = (values.problems ?? []).map((one) => ({ field: one.field, text: problemText(page, one, minLength) }));
  const problemOf = (field: string) => problems.find((problem) => problem.field === field)?.text;
  const named = problemOf('name');
  const optional = values.password === 'optional';
  const hint = t(optional ? 'newAccount.passwordOptional' : 'password.hint', { count: minLength });
  const main = html`${errorSummary(page, problems)}<h1>${t(values.invited ? 'newAccount.invited' : 'newAccount.title', { service: page.serviceName })}</h1>
${client && html`<p>${rich('signUp.back', { name: nameInSentence(page, clientIdentity(client, page)) })}</p>`}
<form method="post" action="${page.base}${values.path}">
${hiddenFields(values.hidden)}<div class="field"><label for="email">${t('signUp.email')}</label>
<input id="email" name="username" type="text" value="${email}" readonly autocomplete="username"></div>
<div class="field"><label for="name">${t('newAccount.name')}</label><p class="hint" id="name-hint">${t('newAccount.nameHint')}</p>
${named !== undefined && html`<p class="problem" id="name-problem">${named}</p>`}
<input id="name" name="name" type="text" autocomplete="name" maxlength="100" aria-describedby="${named === undefined ? 'name-hint' : 'name-hint name-problem'}"${values.name !== undefined && html` value="${values.name}"`}${named !== undefined && html` aria-invalid="true"`}></div>
${values.password !== false && passwordField(page, { autocomplete: 'new-password', hint, minLength, optional, problem: problemOf('password'), autofocus: problems.length === 0 })}
<button type="submit" class="button main" data-busy>${t('newAccount.submit')}</button>
</form>
${upstreamForm(page, { path: '/invite/upstream', hidden: values.hidden, upstreams: values.upstreams ?? [] })}`;

  return renderPage(page, { title: t('newAccount.title'), why: 'why.signUp', main });
}

function problemText(page: PageFrame, one: NewAccountProblem, minLength: number): string {
  if (one.field === 'password') return newPasswordText(page, one.problem, minLength);
  return page.t(one.field === 'name' ? 'newAccount.error.name' : 'newAccount.error.taken');
}
