/**
 * Owns: the question before an account is deleted, which the person answers by typing who they are.
 */
import { html } from 'hono/html';
import { accountMenu } from './account-frame.ts';
import { errorSummary } from './error-summary.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';

export type DeleteAccountPageValues = {
  csrf: string;
  username: string;
  /** Another name was typed; they own servers; nobody else could run this service. */
  problem?: 'name' | 'owner' | 'operator';
};

/** Renders the form that posts `csrf` and `username` to `{base}/account/delete`. */
export function deleteAccountPage(page: PageFrame, { csrf, username, problem }: DeleteAccountPageValues): string {
  const { t, rich, base } = page;
  const text = problem && t(`delete.problem.${problem}`);
  const main = html`${errorSummary(page, text === undefined ? [] : [{ field: 'username', text }])}
<h1>${t('delete.title')}</h1>
<p class="lead">${t('delete.lead')}</p>
<ul class="plain"><li>${t('delete.agents')}</li><li>${t('delete.sessions')}</li><li>${t('delete.data')}</li><li>${t('delete.events')}</li></ul>
<p><a href="${base}/account/export">${t('delete.exportFirst')}</a></p>
<form method="post" action="${base}/account/delete"><input type="hidden" name="csrf" value="${csrf}">
<div class="field"><label for="username">${rich('delete.type', { username: html`<bdi><code>${username}</code></bdi>` })}</label>
${text !== undefined && html`<p class="problem" id="username-problem">${text}</p>`}<input id="username" name="username" type="text" required autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="200"${text !== undefined && html` aria-describedby="username-problem" aria-invalid="true"`}></div>
<div class="decide"><a class="button even" href="${base}/account/profile">${t('delete.keep')}</a>
<button type="submit" class="button alarm" data-busy>${t('delete.submit')}</button></div></form>`;
  return renderPage(page, { title: t('delete.title'), why: 'why.account', width: 'wide', nav: accountMenu(page, 'profile'), main });
}
