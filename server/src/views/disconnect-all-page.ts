/**
 * Owns: the question before every agent is disconnected.
 */
import { html } from 'hono/html';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';

export type DisconnectAllPageValues = { csrf: string; agents: number };

/** Renders the form that posts `csrf` to `{base}/account/agents/disconnect-all`. */
export function disconnectAllPage(page: PageFrame, { csrf, agents }: DisconnectAllPageValues): string {
  const { t } = page;
  const main = html`<h1>${t('disconnectAll.title')}</h1>
<p>${t('disconnectAll.text', { agents })}</p>
<form method="post" action="${page.base}/account/agents/disconnect-all"><input type="hidden" name="csrf" value="${csrf}">
<div class="decide"><a class="button even" href="${page.base}/account/agents">${t('disconnectAll.keep')}</a>
<button type="submit" class="button alarm" data-busy>${t('disconnectAll.submit')}</button></div></form>`;
  return renderPage(page, { title: t('disconnectAll.title'), why: 'why.account', main });
}
