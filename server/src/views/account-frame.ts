/**
 * Owns: what the pages of an account have in common: who is signed in, and the ways from one page to the others. A page of the account is a line in `places`.
 */
import { html } from 'hono/html';
import { displayText } from './display-text.ts';
import type { Markup, PageFrame } from './layout.ts';
import type { MessageKey } from './words.ts';

/** In the order of the menu. */
const places = {
  home: { path: '/account', words: 'account.title' },
  agents: { path: '/account/agents', words: 'agents.title' },
  activity: { path: '/account/activity', words: 'activity.title' },
  security: { path: '/account/security', words: 'security.title' },
  profile: { path: '/account/profile', words: 'profile.title' },
} as const satisfies Readonly<Record<string, { path: string; words: MessageKey }>>;
export type AccountPlace = keyof typeof places;

/** Who is signed in, opposite the name of the service. */
export function accountAside(page: PageFrame, { name, email }: { name: string; email?: string }): Markup {
  const shown = html`<strong><bdi>${displayText(email ?? name, 80)}</bdi></strong>`;
  return html`<p class="account"><span>${page.rich('consent.signedInAs', { user: shown })}</span> <a href="${page.base}/logout">${page.t('agents.signOut')}</a></p>`;
}

/** The menu; `here` is the page it stands on, or the one above it. */
export function accountMenu({ base, t }: PageFrame, here: AccountPlace): Markup {
  return html`<nav class="menu" aria-label="${t('account.menu')}"><ul>${Object.entries(places).map(
    ([place, { path, words }]) => html`<li><a href="${base}${path}"${place === here && html` aria-current="page"`}>${t(words)}</a></li>`,
  )}</ul></nav>`;
}
