/**
 * Owns: the pages on which a person gets another e-mail address: asking for the link, the question behind it, done. Asking says the same for every address.
 */
import { html } from 'hono/html';
import { accountAside, accountMenu } from './account-frame.ts';
import { commandLine } from './command-line.ts';
import { visibleText } from './display-text.ts';
import { errorSummary } from './error-summary.ts';
import { icons } from './icons.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { waitText } from './moments.ts';

export type ChangeEmailPageValues = {
  csrf: string;
  user: { name: string; email?: string };
  /** Where no mail is sent: what an operator runs. */
  command?: string;
  sent?: boolean;
  /** What was entered. */
  email?: string;
  problem?: 'invalid' | 'throttled';
  retryAfterSeconds?: number;
};

/** Renders the form that posts `csrf` and `email` to `{base}/account/email`. */
export function changeEmailPage(page: PageFrame, values: ChangeEmailPageValues): string {
  const { t, base } = page;
  const { problem } = values;
  const wait = waitText(values.retryAfterSeconds ?? 1, page);
  const text = problem && (problem === 'throttled' ? t('error.throttled', { wait }) : t('signUp.error.invalid'));
  const main = html`${values.sent && html`<div class="done" role="status">${icons.done}<p>${t('email.sent')}</p></div>`}
${errorSummary(page, text === undefined ? [] : [{ field: 'email', text }])}
<h1>${t('email.title')}</h1>
${values.command === undefined ? form(page, values, text) : html`<p>${page.rich('email.noMail', { service: page.serviceName, command: commandLine(values.command) })}</p>`}
<p><a href="${base}/account/profile">${t('profile.title')}</a></p>`;
  return renderPage(page, {
    title: t('email.title'),
    why: 'why.account',
    width: 'wide',
    aside: accountAside(page, values.user),
    nav: accountMenu(page, 'profile'),
    main,
  });
}

function form({ t, base }: PageFrame, { csrf, email }: ChangeEmailPageValues, problem: string | undefined): Markup {
  return html`<p>${t('email.text')}</p>
<form method="post" action="${base}/account/email"><input type="hidden" name="csrf" value="${csrf}">
<div class="field"><label for="email">${t('email.new')}</label>
${problem !== undefined && html`<p class="problem" id="email-problem">${problem}</p>`}<input id="email" name="email" type="email" required autocomplete="email" autocapitalize="none" spellcheck="false" maxlength="254" value="${visibleText(email ?? '')}"${problem !== undefined && html` aria-describedby="email-problem" aria-invalid="true"`}></div>
<button type="submit" class="button main" data-busy>${t('email.submit')}</button></form>`;
}

/** Renders the question behind the link, which posts `csrf` and `token` to `{base}/account/email/confirm`. */
export function confirmEmailPage(page: PageFrame, values: { csrf: string; token: string; email: string; username: string }): string {
  const { t, rich, base } = page;
  const strong = (text: string) => html`<strong><bdi>${visibleText(text)}</bdi></strong>`;
  const main = html`<h1>${t('email.confirmTitle')}</h1>
<p>${rich('email.confirmText', { email: strong(values.email), username: strong(values.username) })}</p>
<form method="post" action="${base}/account/email/confirm"><input type="hidden" name="csrf" value="${values.csrf}"><input type="hidden" name="token" value="${values.token}">
<button type="submit" class="button main" data-busy>${t('email.confirm')}</button></form>
<p class="muted">${t('mail.email.never')}</p>`;
  return renderPage(page, { title: t('email.confirmTitle'), why: 'why.account', main });
}

/** Renders what somebody reads behind the link who is not signed in as the one who asked for it. */
export function signInFirstPage(page: PageFrame): string {
  const { t, base } = page;
  const main = html`<h1>${t('email.confirmTitle')}</h1>
<p>${t('email.signInFirst')}</p>
<p><a class="button main" href="${base}/login?switch=1&amp;to=profile">${t('signIn.submit')}</a></p>
<p class="muted">${t('mail.email.never')}</p>`;
  return renderPage(page, { title: t('email.confirmTitle'), why: 'why.account', main });
}

/** Renders what is true from now on. */
export function emailChangedPage(page: PageFrame, { email }: { email: string }): string {
  const { t, base } = page;
  const main = html`<div class="outcome">${icons.done}<h1>${t('email.done')}</h1><p><bdi>${visibleText(email)}</bdi></p></div>
<p><a class="button quiet" href="${base}/account/profile">${t('profile.title')}</a></p>`;
  return renderPage(page, { title: t('email.done'), why: 'why.account', main });
}
