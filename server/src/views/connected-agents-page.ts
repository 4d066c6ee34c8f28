/**
 * Owns: the list of who can act for the person who is signed in, what was just done to one of them, and what is done to all at once (CON-07, ACC-01).
 */
import { html } from 'hono/html';
import { accountAside, accountMenu } from './account-frame.ts';
import { type AgentView, agentCard } from './agent-card.ts';
import { displayText } from './display-text.ts';
import { icons } from './icons.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { machineTime, secondsText } from './moments.ts';
import { passkeyOffer } from './passkey-offer.ts';
import { pauseAllForm } from './pause-all-form.ts';
import type { MessageKey, Words } from './words.ts';

export type Filter = { server?: string; unused: boolean; servers: readonly { resource: string; name: string }[] };
/** What was just done; to one agent by its name, to all without. */
export type Done =
  | { did: 'paused' | 'resumed' | 'reduced'; name: string }
  | { did: 'disconnected'; name: string /** Epoch seconds. */; at: number }
  | { did: 'allDisconnected' | 'allPaused' | 'allResumed' };
export type ConnectedAgentsPageValues = {
  csrf: string;
  user: { name: string; email?: string };
  agents: readonly AgentView[];
  /** The person has paused all agents. */
  allPaused?: boolean;
  /** Present when there are enough agents to choose from. */
  filter?: Filter;
  done?: Done;
  /** Present when a passkey is offered. */
  passkeyOffer?: { csrf: string };
};

const DONE: Readonly<Record<Done['did'], { title: MessageKey; text: MessageKey }>> = {
  disconnected: { title: 'agents.doneAt', text: 'agents.doneText' },
  paused: { title: 'agents.donePaused', text: 'agents.doneLater' },
  resumed: { title: 'agents.doneResumed', text: 'agents.doneResumedText' },
  reduced: { title: 'agents.doneReduced', text: 'agents.doneLater' },
  allDisconnected: { title: 'agents.doneAll', text: 'agents.doneText' },
  allPaused: { title: 'agents.allPaused', text: 'agents.allPausedText' },
  allResumed: { title: 'agents.doneResumedAll', text: 'agents.doneResumedAllText' },
};

/** Renders the cards; forms for all of them post `csrf` to `{base}/account/agents/pause-all` or `…/resume-all`. */
export function connectedAgentsPage(page: PageFrame, values: ConnectedAgentsPageValues): string {
  const { t } = page;
  const none = values.agents.length === 0;
  const main = html`${values.done && doneLine(page, values.done)}
<h1>${t('agents.title')}</h1>
${values.allPaused && values.done?.did !== 'allPaused' && allPaused(page)}
${none && !values.filter ? emptyState(page) : !values.allPaused && html`<p>${t('agents.lead')}</p>`}
${(!none || values.filter || values.allPaused) && all(page, values)}
${values.filter && filterForm(page, values.filter)}
${none && values.filter ? html`<p>${t('agents.filterNone')} <a href="${page.base}/account/agents">${t('agents.filterAll')}</a></p>` : ''}
${!none && html`<ul class="agents">${values.agents.map((agent, index) => agentCard(page, values.csrf, agent, index))}</ul>`}
${values.passkeyOffer && passkeyOffer(page, values.passkeyOffer)}`;

  return renderPage(page, {
    title: t('agents.title'),
    why: 'why.account',
    width: 'wide',
    aside: accountAside(page, values.user),
    nav: accountMenu(page, 'agents'),
    main,
  });
}

function doneLine(page: PageFrame, done: Done): Markup {
  const { t, rich } = page;
  const { title, text } = DONE[done.did];
  const name = 'name' in done ? displayText(done.name) : '';
  const time = 'at' in done ? html`<time datetime="${machineTime(done.at)}">${secondsText(done.at, page)}</time>` : '';
  const late = done.did === 'disconnected' || done.did === 'allDisconnected' ? html` ${t('agents.doneLater')}` : '';
  return html`<div class="done" role="status">${icons.done}<p><strong>${rich(title, { name, time })}</strong> ${t(text)}${late}</p></div>`;
}

function emptyState({ t }: Words): Markup {
  return html`<div class="empty">${icons.approved}<p><strong>${t('agents.none')}</strong></p><p class="muted">${t('agents.noneText')}</p></div>`;
}

function allPaused({ t }: Words): Markup {
  return html`<p class="stopped">${icons.paused}<span><strong>${t('agents.allPaused')}</strong> ${t('agents.allPausedText')}</span></p>`;
}

function all(page: PageFrame, { csrf, allPaused: paused, agents }: ConnectedAgentsPageValues): Markup {
  const { t } = page;
  return html`<div class="acts">${pauseAllForm(page, { csrf, paused: paused === true })}
${agents.length > 0 && html`<a class="button quiet" href="${page.base}/account/agents/disconnect-all">${t('agents.disconnectAll')}</a>`}</div>`;
}

function filterForm(page: PageFrame, { server, unused, servers }: Filter): Markup {
  const { t } = page;
  return html`<form method="get" action="${page.base}/account/agents" class="filter"><div class="field"><label for="server">${t('agents.filterServer')}</label>
<select id="server" name="server"><option value="">${t('agents.filterAny')}</option>${servers.map(
    ({ resource, name }) => html`<option value="${resource}"${resource === server && html` selected`}>${displayText(name)}</option>`,
  )}</select></div>
<label class="check"><input type="checkbox" name="unused" value="1"${unused && html` checked`}><span>${t('agents.filterUnused')}</span></label>
<button type="submit" class="button quiet">${t('agents.filterSubmit')}</button></form>`;
}
