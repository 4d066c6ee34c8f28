/**
 * Owns: the public front page: what this service is and the way to one's own agents. It tells a stranger nothing else, no version, no client.
 */
import { html } from 'hono/html';
import { displayText } from './display-text.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';

export type HomePageValues = { /** E-mail or name, when someone is signed in. */ signedInAs?: string };

/** Renders the front page. */
export function homePage(page: PageFrame, values: HomePageValues = {}): string {
  const { t, rich } = page;
  const main = html`<h1><bdi>${page.serviceName}</bdi></h1>
<p class="lead">${t('home.text')}</p>
<p><a class="button main" href="${page.base}/account/agents">${t('home.account')}</a></p>
${values.signedInAs !== undefined && html`<p class="small center">${rich('home.signedInAs', { user: html`<bdi>${displayText(values.signedInAs, 80)}</bdi>` })}</p>`}`;

  return renderPage(page, { title: t('home.account'), why: 'why.home', main });
}
