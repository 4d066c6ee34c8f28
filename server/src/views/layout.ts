/**
 * Owns: the document around every page: head, skip link, banner, name of the service, footer. Not owned: security headers (the server sends them).
 * WCAG 2.2 AA: language and direction set, one `main`, one `h1` (the page's own), a skip link, a status line for the script.
 */
import { html, raw } from 'hono/html';
import { accentPath } from './accent.ts';
import { scriptAsset, stylesheetAsset } from './assets.ts';
import { byLanguage } from './by-language.ts';
import { copyButton } from './copy-button.ts';
import { visibleText } from './display-text.ts';
import { icons, tabIcon } from './icons.ts';
import { inAscii } from './in-ascii.ts';
import type { Markup, MessageKey, Words } from './words.ts';

export type { Markup } from './words.ts';

import { type LanguageMenu, languageMenu } from './language-menu.ts';
import { contactHref } from './safe-href.ts';

/** What every page is told besides its own values, with the words of the person's language. */
export type PageFrame = Words & {
  serviceName: string;
  /** The issuer's host, shown as "You are on auth.example.com". */
  host: string;
  /** E-mail address, https address or plain words. */
  contact?: string;
  /** Six hexadecimal digits: the operator's colour instead of ours. */
  accent?: string;
  requestId: string;
  /** `''` or `/t/acme`: prefix of links, forms and assets. */
  base: string;
  /** Banner of the operator or of development mode, on every page. */
  notice?: { title: string; text: string };
  /** Epoch seconds; makes times relative ("2 minutes ago"). Without it pages print dates. */
  now?: number;
  /** Where another language is chosen; without it the page only says which this is. */
  menu?: LanguageMenu;
};

export type Document = {
  title: string;
  /** Answers "Why am I seeing this page?". */
  why: MessageKey;
  main: Markup;
  width?: 'narrow' | 'wide';
  /** Stands opposite the name of the service: who is signed in. */
  aside?: Markup;
  /** The way to other pages of the same kind. */
  nav?: Markup;
  /** An address already passed by `safeReturnHref`; the browser goes there at once. */
  refreshTo?: string;
};

/** Renders a whole document. Throws `TypeError` if a page smuggled a promise into its template. */
export function renderPage(page: PageFrame, document: Document): string {
  const { t } = page;
  const rendered = html`<!doctype html>
<html lang="${page.language}" dir="${page.dir}">
${head(page, document)}
<body data-busy="${inAscii(t('layout.busy'))}">
<a class="skip" href="#main">${t('layout.skip')}</a>
${page.notice && html`<aside class="banner" aria-label="${page.notice.title}"><p><strong>${page.notice.title}</strong> ${page.notice.text}</p></aside>`}
<div class="page ${document.width ?? 'narrow'}">
<header class="top"><p class="service"><span class="mark" aria-hidden="true">${icons.service}</span><bdi>${page.serviceName}</bdi></p>${document.aside}</header>
${document.nav}
<main id="main" class="card" tabindex="-1">
${document.main}
</main>
${footer(page, document.why)}
</div>
<p id="status" class="hidden" role="status"></p>
</body>
</html>
`;
  if (rendered instanceof Promise) throw new TypeError('a page template holds a promise');
  return rendered.toString();
}

function head(page: PageFrame, document: Document): Markup {
  const { t } = page;
  return html`<head>
<meta charset="utf-8">
<title>${inAscii(t('layout.title', { page: document.title, service: page.serviceName }))}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
${document.refreshTo !== undefined && html`<meta http-equiv="refresh" content="0;url=${document.refreshTo}">`}
<link rel="icon" href="${raw(tabIcon)}">
<link rel="stylesheet" href="${page.base}${stylesheetAsset.path}">
${page.accent !== undefined && html`<link rel="stylesheet" href="${page.base}${accentPath(page.accent)}">`}
<script src="${page.base}${scriptAsset.path}" defer></script>
</head>`;
}

function footer(page: PageFrame, why: MessageKey): Markup {
  const { t, rich } = page;
  const service = page.serviceName;
  return html`<footer class="foot">
<p class="where">${icons.host}<span>${rich('host.youAreOn', { host: html`<strong>${page.host}</strong>` })}</span></p>
<details><summary>${t('layout.why')}</summary><p>${t(why, { service })}</p></details>
<p class="small"><bdi>${service}</bdi>${contactLine(page, page.contact)}${page.menu === undefined && html` <bdi>${languageName(page.language)}</bdi>`}
<span class="request">${t('layout.requestId')} <code id="request-id">${visibleText(page.requestId)}</code> ${copyButton(page, 'request-id')}</span></p>
${page.menu && languageMenu(page, page.menu)}
</footer>`;
}

function contactLine({ rich }: Words, contact: string | undefined): Markup | undefined {
  if (contact === undefined) return undefined;
  const href = contactHref(contact);
  const shown = href === undefined ? html`<bdi>${contact}</bdi>` : html`<a href="${href}">${contact}</a>`;
  return html` <span>${rich('layout.contact', { contact: shown })}</span>`;
}

const languageName = byLanguage((language) => new Intl.DisplayNames([language], { type: 'language' }).of(language) ?? language);
