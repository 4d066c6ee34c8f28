/**
 * Owns: what a person sees when an agent asks them for something while it is paused (ACC-01): go on and resume it, or keep it paused. What an operator has stopped
 * cannot be resumed here.
 */
import { html } from 'hono/html';
import type { ClientView } from './client-identity.ts';
import { clientIdentity } from './client-identity.ts';
import { clientLine, nameInSentence } from './client-line.ts';
import { whoIsSignedIn } from './consent-page.ts';
import { displayText } from './display-text.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';

export type PausedPageValues = {
  tx: string;
  csrf: string;
  client: ClientView;
  user: { name: string; email?: string };
  serverName: string;
  /** Who stopped it, and whether with it everything else. */
  by: 'agent' | 'all' | 'hold';
};

/** Renders the form that posts `tx`, `csrf` and `decision=deny|resume` to `{base}/consent`. */
export function pausedPage(page: PageFrame, values: PausedPageValues): string {
  const { t, rich } = page;
  const identity = clientIdentity(values.client, page);
  const name = nameInSentence(page, identity);
  const server = rich('quoted', { text: html`<bdi>${displayText(values.serverName)}</bdi>` });
  const held = values.by === 'hold';
  const main = html`<h1>${rich(`paused.heading.${values.by}`, { name, service: page.serviceName })}</h1>
<p>${rich(`paused.text.${values.by}`, { name, server })}</p>
${clientLine(page, identity)}
<form method="post" action="${page.base}/consent"><input type="hidden" name="tx" value="${values.tx}"><input type="hidden" name="csrf" value="${values.csrf}">
<div class="${held ? 'acts' : 'decide'}"><button type="submit" name="decision" value="deny" class="button even" data-busy>${t(held ? 'paused.back' : 'paused.keep')}</button>
${!held && html`<button type="submit" name="decision" value="resume" class="button even" data-busy data-guard>${t(values.by === 'all' ? 'paused.resumeAll' : 'paused.resume')}</button>`}</div></form>
<p class="small center"><a href="${page.base}/account/agents">${t('agents.title')}</a></p>`;
  const aside = whoIsSignedIn(page, values, `${page.base}/login?tx=${encodeURIComponent(values.tx)}&switch=1`);
  return renderPage(page, { title: t(`paused.title.${held ? 'hold' : 'person'}`, { name: identity.name }), why: 'why.consent', aside, main });
}
