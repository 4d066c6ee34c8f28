/**
 * Owns: the page between us and an upstream. A refresh is a new navigation, so `form-action 'self'` cannot hold it back; the link is for whoever switched that off.
 */
import { html } from 'hono/html';
import { visibleText } from './display-text.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { safeReturnHref } from './safe-href.ts';

/** `href` is the finished authorization request. */
export type UpstreamLeavePageValues = { name: string; href: string };

/** Renders the way there. */
export function upstreamLeavePage(page: PageFrame, values: UpstreamLeavePageValues): string {
  const { t, rich } = page;
  const href = safeReturnHref(values.href);
  const name = html`<bdi>${visibleText(values.name)}</bdi>`;
  const host = html`<strong class="place"><bdi>${visibleText(new URL(values.href).host)}</bdi></strong>`;
  const main = html`<h1>${rich('upstream.leaveTitle', { name })}</h1>
<p>${rich('upstream.leaveText', { name, service: html`<bdi>${page.serviceName}</bdi>` })}</p>
${href !== undefined && html`<p><a class="button main" href="${href}" rel="noreferrer"><span>${rich('upstream.leaveGo', { host })}</span></a></p>`}`;

  return renderPage(page, { title: t('upstream.leaveTitle', { name: visibleText(values.name) }), why: 'why.signIn', refreshTo: href, main });
}
