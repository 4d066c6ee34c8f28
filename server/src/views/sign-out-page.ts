/**
 * Owns: the two pages of leaving: the question (a form, so that a link alone cannot sign anyone out) and the confirmation.
 */
import { html } from 'hono/html';
import { displayText } from './display-text.ts';
import { icons } from './icons.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { safeReturnHref } from './safe-href.ts';

/** `askedBy` is the name of the client that sent the browser here; `carried` are its parameters, which the form takes along. */
export type SignOutPageValues = {
  csrf: string;
  user?: { name: string; email?: string };
  askedBy?: string;
  /** How many other accounts are signed in in this browser. */
  others?: number;
  carried?: Readonly<Record<string, string>>;
};
/** A registered address of the client that asked; `atOnce` goes there without a click. */
export type Onward = { href: string; host: string; atOnce: boolean };

/** Renders the question; the form posts `csrf` to `{base}/logout`. */
export function signOutPage(page: PageFrame, values: SignOutPageValues): string {
  const { t, rich } = page;
  const { user, askedBy, others = 0 } = values;
  const main = html`<h1>${t('signOut.title')}</h1>
${user && html`<p>${rich('signOut.as', { user: html`<strong><bdi>${displayText(user.email ?? user.name, 80)}</bdi></strong>` })}</p>`}
${askedBy !== undefined && html`<p>${rich('signOut.askedBy', { name: html`<strong><bdi>${displayText(askedBy, 80) || t('client.unnamed')}</bdi></strong>` })}</p>`}
<p>${t('signOut.text')}</p>
<form method="post" action="${page.base}/logout"><input type="hidden" name="csrf" value="${values.csrf}">
${Object.entries(values.carried ?? {}).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<button type="submit" class="button main" data-busy>${t('signOut.submit')}</button>
${others > 0 && html`<p>${t('signOut.others', { count: others })}</p><button type="submit" name="all" value="1" class="button quiet" data-busy>${t('signOut.all')}</button>`}</form>
<p class="center"><a class="quiet-link" href="${page.base}/account/agents">${t('signOut.stay')}</a></p>`;

  return renderPage(page, { title: t('signOut.title'), why: 'why.account', main });
}

/** Renders the confirmation after the session has ended, with the way on if a client asked for it. */
export function signedOutPage(page: PageFrame, onward?: Onward): string {
  const { t, rich } = page;
  const href = onward && safeReturnHref(onward.href);
  const main = html`<div class="outcome">${icons.done}<h1>${t('signedOut.title')}</h1><p>${t('signedOut.text')}</p></div>
${onward && href !== undefined && html`<p><a class="button main" href="${href}" rel="noreferrer"><span>${rich('signedOut.onward', { host: html`<bdi>${onward.host}</bdi>` })}</span></a></p>`}
<p><a class="button quiet" href="${page.base}/login">${t('signedOut.again')}</a></p>`;

  return renderPage(page, { title: t('signedOut.title'), why: 'why.account', main, refreshTo: onward?.atOnce ? href : undefined });
}
