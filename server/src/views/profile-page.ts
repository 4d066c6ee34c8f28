/**
 * Owns: the page on which a person sees what they are called here, chooses their language, and takes their data or themselves away.
 */
import { html } from 'hono/html';
import { accountAside, accountMenu } from './account-frame.ts';
import { visibleText } from './display-text.ts';
import { errorSummary } from './error-summary.ts';
import { icons } from './icons.ts';
import { languageMenu } from './language-menu.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';

export type ProfilePageValues = {
  csrf: string;
  user: { name?: string; username: string; email?: string };
  /** Whether the sign-in is recent enough to take data away. */
  recent: boolean;
  saved?: boolean;
  /** The name that was entered, which cannot be one. */
  wrongName?: string;
};

/** Renders the form that posts `csrf` and `name` to `{base}/account/profile`, and the ways to `{base}/account/export` and `…/delete`. */
export function profilePage(page: PageFrame, values: ProfilePageValues): string {
  const { t } = page;
  const { user, wrongName } = values;
  const main = html`${values.saved && html`<div class="done" role="status">${icons.done}<p>${t('profile.saved')}</p></div>`}
${errorSummary(page, wrongName === undefined ? [] : [{ field: 'name', text: t('profile.wrongName') }])}
<h1>${t('profile.title')}</h1>
<form method="post" action="${page.base}/account/profile"><input type="hidden" name="csrf" value="${values.csrf}">
${field(page, values)}
<div class="field"><label for="username">${t('profile.username')}</label><p class="hint" id="username-hint">${t('profile.usernameHint')}</p><input id="username" type="text" value="${visibleText(user.username)}" readonly aria-describedby="username-hint"></div>
<div class="field"><label for="email">${t('profile.email')}</label><p class="hint" id="email-hint">${t('profile.emailHint', { service: page.serviceName })}</p><input id="email" type="text" value="${user.email ?? t('profile.noEmail')}" readonly aria-describedby="email-hint"></div>
<p><a href="${page.base}/account/email">${t('email.title')}</a></p>
<button type="submit" class="button main" data-busy>${t('profile.save')}</button></form>
${page.menu && html`<section class="part" aria-label="${t('profile.language')}">${languageMenu(page, page.menu)}</section>`}
${data(page, values)}`;
  const aside = accountAside(page, { name: user.name ?? user.username, email: user.email });
  // The menu of the footer stands above.
  return renderPage(
    { ...page, menu: undefined },
    { title: t('profile.title'), why: 'why.account', width: 'wide', aside, nav: accountMenu(page, 'profile'), main },
  );
}

function field({ t }: PageFrame, { user, wrongName }: ProfilePageValues): Markup {
  const problem = wrongName !== undefined && html`<p class="problem" id="name-problem">${t('profile.wrongName')}</p>`;
  return html`<div class="field"><label for="name">${t('profile.name')}</label><p class="hint" id="name-hint">${t('profile.nameHint')}</p>
${problem}<input id="name" name="name" type="text" value="${visibleText(wrongName ?? user.name ?? '')}" autocomplete="name" maxlength="100" aria-describedby="name-hint${problem && ' name-problem'}"${problem && html` aria-invalid="true"`}></div>`;
}

function data({ t, base }: PageFrame, { recent }: ProfilePageValues): Markup {
  return html`<section class="part" id="data" aria-labelledby="data-title"><h2 id="data-title">${t('profile.data')}</h2>
${!recent && html`<p class="note">${t('profile.confirm')} <a href="${base}/login?reason=confirm&amp;to=profile">${t('signIn.confirmTitle')}</a></p>`}
<p>${t('profile.exportText')}</p>
<p><a class="button quiet" href="${base}/account/export">${t('profile.export')}</a></p>
<p>${t('profile.deleteText')}</p>
<p><a class="button alarm" href="${base}/account/delete">${t('profile.delete')}</a></p></section>`;
}
