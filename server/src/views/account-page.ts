/**
 * Owns: the first page of an account: what there is to see and to decide, a line each, and the one switch that stops every agent.
 */
import { html } from 'hono/html';
import { accountAside, accountMenu } from './account-frame.ts';
import { displayText } from './display-text.ts';
import { icons } from './icons.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { passkeyOffer } from './passkey-offer.ts';
import { pauseAllForm } from './pause-all-form.ts';

export type AccountPageValues = {
  /** Of the forms about agents. */
  csrf: string;
  user: { name: string; email?: string };
  agents: number;
  usedToday: number;
  allPaused: boolean;
  passkeys: number;
  twoStep: boolean;
  sessions: number;
  /** Present when a passkey is offered. */
  passkeyOffer?: { csrf: string };
};

/** Renders the cards; the switch posts `csrf` to `{base}/account/agents/pause-all` or `…/resume-all`. */
export function accountPage(page: PageFrame, values: AccountPageValues): string {
  const { t, base } = page;
  const { agents, usedToday, passkeys, sessions, allPaused, user } = values;
  const ways = [
    t('account.passkeys', { count: passkeys }),
    t(values.twoStep ? 'account.twoStepOn' : 'account.twoStepOff'),
    t('account.sessionsText', { count: sessions }),
  ];
  const main = html`<h1>${t('account.title')}</h1>
${allPaused && html`<p class="stopped">${icons.paused}<span><strong>${t('agents.allPaused')}</strong> ${t('agents.allPausedText')}</span></p>`}
<ul class="entries">
${entry(`${base}/account/agents`, t('agents.title'), [t('account.agents', { count: agents }), ...(agents > 0 ? [t('account.usedToday', { count: usedToday })] : [])])}
${entry(`${base}/account/activity`, t('activity.title'), [t('account.activityText')])}
${entry(`${base}/account/security`, t('security.title'), ways)}
${entry(`${base}/account/profile`, t('profile.title'), [user.name, ...(user.email === undefined ? [] : [user.email])])}
</ul>
${(agents > 0 || allPaused) && pauseAllForm(page, { csrf: values.csrf, paused: allPaused })}
${values.passkeyOffer && passkeyOffer(page, values.passkeyOffer)}`;

  return renderPage(page, {
    title: t('account.title'),
    why: 'why.account',
    width: 'wide',
    aside: accountAside(page, user),
    nav: accountMenu(page, 'home'),
    main,
  });
}

function entry(href: string, title: string, texts: readonly string[]): Markup {
  const lines = texts.map((text) => html`<span class="muted line"><bdi>${displayText(text, 100)}</bdi></span>`);
  return html`<li class="entry"><h2><a href="${href}">${title}</a></h2><p>${lines}</p></li>`;
}
