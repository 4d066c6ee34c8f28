/**
 * Owns: the question whether an account elsewhere shall open the account here. Both are named, because pressing the button hands the second to whoever has the first.
 */
import { html } from 'hono/html';
import { visibleText } from './display-text.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';

export type LinkUpstreamPageValues = {
  arrival: string;
  csrf: string;
  /** As on its button. */
  upstream: string;
  /** What the account there is called. */
  label?: string;
  /** Who is signed in here. */
  account: string;
};

/** Renders the form that posts `arrival`, `csrf` and `decision=link|not-now` to `{base}/account/link`. */
export function linkUpstreamPage(page: PageFrame, values: LinkUpstreamPageValues): string {
  const { t, rich } = page;
  const upstream = html`<bdi>${visibleText(values.upstream)}</bdi>`;
  const account = html`<strong><bdi>${visibleText(values.account)}</bdi></strong>`;
  const label = values.label !== undefined && html`<strong><bdi>${visibleText(values.label)}</bdi></strong>`;
  const main = html`<h1>${rich('linkUpstream.title', { upstream })}</h1>
<p>${label ? rich('linkUpstream.as', { upstream, label, account }) : rich('linkUpstream.plain', { upstream, account })}</p>
<p class="note">${t('linkUpstream.care')}</p>
<form method="post" action="${page.base}/account/link">
<input type="hidden" name="csrf" value="${values.csrf}">
<input type="hidden" name="arrival" value="${values.arrival}">
<div class="decide">
<button type="submit" class="button even" name="decision" value="not-now">${t('linkUpstream.no')}</button>
<button type="submit" class="button even" name="decision" value="link" data-guard>${t('linkUpstream.yes')}</button>
</div>
</form>`;

  return renderPage(page, { title: t('linkUpstream.title', { upstream: visibleText(values.upstream) }), why: 'why.account', main });
}
