/**
 * Owns: the question before an agent is paused, where a mail has warned of it: who it is, what it may do, and that a pause can be taken back.
 */
import { html } from 'hono/html';
import type { ClientView } from './client-identity.ts';
import { clientIdentity } from './client-identity.ts';
import { clientLine, nameInSentence } from './client-line.ts';
import { displayText } from './display-text.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';

export type PausePageValues = { csrf: string; grantId: string; client: ClientView; serverName: string };

/** Renders the form that posts `csrf` and `grant` to `{base}/account/agents/pause`. */
export function pausePage(page: PageFrame, { csrf, grantId, client, serverName }: PausePageValues): string {
  const { t, rich } = page;
  const identity = clientIdentity(client, page);
  const server = rich('quoted', { text: html`<bdi>${displayText(serverName)}</bdi>` });
  const main = html`<h1>${rich('pause.heading', { name: nameInSentence(page, identity) })}</h1>
<p>${rich('pause.text', { server })}</p>
${clientLine(page, identity)}
<form method="post" action="${page.base}/account/agents/pause"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="grant" value="${grantId}">
<div class="decide"><a class="button even" href="${page.base}/account/agents">${t('pause.keep')}</a>
<button type="submit" class="button even" data-busy>${t('agents.pause')}</button></div></form>`;
  return renderPage(page, { title: t('pause.title', { name: identity.name }), why: 'why.account', main });
}
