/**
 * Owns: the page for somebody whom an upstream knows and this server does not: make an account, or sign in to the one they have and link it. It shows beforehand what an
 * account would hold.
 */
import { html } from 'hono/html';
import { visibleText } from './display-text.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';

/** What the person may do besides signing in to an account they have. */
export type FirstTime = 'sign-up' | 'show-that-it-is-yours' | 'ask' | 'ask-for-invitation';
export type FirstTimePageValues = {
  arrival: string;
  csrf: string;
  /** As on its button. */
  upstream: string;
  /** What the account there is called. */
  label?: string;
  name?: string;
  /** Verified by the upstream. */
  email?: string;
  may: FirstTime;
  /** They hold an invitation. */
  invited?: boolean;
};

/** Renders the question. */
export function firstTimePage(page: PageFrame, values: FirstTimePageValues): string {
  const { t, rich } = page;
  const { may } = values;
  const upstream = html`<bdi>${visibleText(values.upstream)}</bdi>`;
  const label = values.label !== undefined && html`<strong><bdi>${visibleText(values.label)}</bdi></strong>`;
  const known = may === 'show-that-it-is-yours';
  const title = t(known ? 'firstTime.knownTitle' : values.invited ? 'newAccount.invited' : 'firstTime.title', { service: page.serviceName });
  const main = html`<h1>${title}</h1>
<p>${label ? rich('firstTime.cameAs', { upstream, label }) : rich('firstTime.came', { upstream })}</p>
${may === 'sign-up' ? signUpForm(page, values) : html`<p class="lead">${rich(`firstTime.${may}`, { upstream, service: html`<bdi>${page.serviceName}</bdi>` })}</p>`}
<p><a class="button ${known ? 'main' : 'quiet'}" href="${page.base}/login?arrival=${values.arrival}"><span>${t(known ? 'firstTime.signInToLink' : 'firstTime.have')}</span></a></p>
<p class="muted">${rich('firstTime.never', { upstream })}</p>`;

  return renderPage(page, { title, why: 'why.signIn', main });
}

function signUpForm({ t, base }: PageFrame, { arrival, csrf, name, email }: FirstTimePageValues): Markup {
  const facts = [
    ['firstTime.name', name],
    ['firstTime.email', email],
  ] as const;
  const told = facts.filter(([, value]) => value !== undefined);
  return html`${
    told.length > 0 &&
    html`<p>${t('firstTime.holds')}</p>
<dl class="technical">${told.map(([key, value]) => html`<div><dt>${t(key)}</dt> <dd><bdi>${visibleText(value ?? '')}</bdi></dd></div>\n`)}</dl>`
  }
<form method="post" action="${base}/login/first-time">
<input type="hidden" name="csrf" value="${csrf}">
<input type="hidden" name="arrival" value="${arrival}">
<button type="submit" class="button main" data-busy>${t('firstTime.create')}</button>
</form>`;
}
