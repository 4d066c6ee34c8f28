/**
 * Owns: the list of who can act for the person who is signed in, a card per agent and server, each with its Disconnect (CON-07).
 */
import { html } from 'hono/html';
import type { ClientView } from './client-identity.ts';
import { clientIdentity } from './client-identity.ts';
import { clientLine, nameInSentence } from './client-line.ts';
import type { ScopeView } from './describe-scope.ts';
import { isDuration } from './describe-scope.ts';
import { displayText, visibleText } from './display-text.ts';
import { icons } from './icons.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { agoText, dateText, machineTime } from './moments.ts';
import { scopeList } from './scope-list.ts';
import type { Words } from './words.ts';

/** Times are epoch seconds. */
export type AgentView = {
  grantId: string;
  client: ClientView;
  serverName: string;
  serverHost: string;
  scopes: readonly ScopeView[];
  since: number;
  lastUsed?: number;
  endsAt?: number;
  /** Present when it acts only through agents connected to the server it speaks for: that server's name, and who did. */
  through?: { serverName: string; agents: readonly { client: ClientView; serverName: string; lastUsed: number }[] };
};
export type ConnectedAgentsPageValues = {
  csrf: string;
  user: { name: string; email?: string };
  agents: readonly AgentView[];
  /** Name of the agent that was just disconnected. */
  done?: string;
};

/** Renders the cards; each form posts `csrf` and `grant` to `{base}/account/agents/disconnect`. */
export function connectedAgentsPage(page: PageFrame, values: ConnectedAgentsPageValues): string {
  const { t } = page;
  const main = html`${values.done !== undefined && html`<div class="done" role="status">${icons.done}<p><strong>${t('agents.done', { name: displayText(values.done) })}</strong> ${t('agents.doneText')}</p></div>`}
<h1>${t('agents.title')}</h1>
${values.agents.length === 0 ? emptyState(page) : html`<p>${t('agents.lead')}</p><ul class="agents">${values.agents.map((agent, index) => card(page, values, agent, index))}</ul>`}`;

  return renderPage(page, { title: t('agents.title'), why: 'why.account', width: 'wide', aside: account(page, values), main });
}

function account(page: PageFrame, { user }: ConnectedAgentsPageValues): Markup {
  const { t, rich } = page;
  const shown = html`<strong><bdi>${displayText(user.email ?? user.name, 80)}</bdi></strong>`;
  return html`<p class="account">${rich('consent.signedInAs', { user: shown })} <a href="${page.base}/logout">${t('agents.signOut')}</a></p>`;
}

function emptyState({ t }: Words): Markup {
  return html`<div class="empty">${icons.approved}<p><strong>${t('agents.none')}</strong></p><p class="muted">${t('agents.noneText')}</p></div>`;
}

function card(page: PageFrame, values: ConnectedAgentsPageValues, agent: AgentView, index: number): Markup {
  const { t, rich } = page;
  const identity = clientIdentity(agent.client, page);
  const server = html`<bdi>${displayText(agent.serverName)}</bdi>`;
  const name = html`<bdi>${identity.name}</bdi>`;
  return html`<li class="agent"><h2>${name} <span class="on">${rich('agents.on', { server: html`<strong>${server}</strong>` })}</span></h2>
<p class="muted host">${visibleText(agent.serverHost)}</p>
${clientLine(page, identity)}
${scopeList(
  page,
  agent.scopes.filter((scope) => !isDuration(scope)),
  { id: `agent-${index}` },
)}
<dl class="times">${times(page, agent)}${throughWhom(page, agent)}</dl>
<form method="post" action="${page.base}/account/agents/disconnect"><input type="hidden" name="csrf" value="${values.csrf}"><input type="hidden" name="grant" value="${agent.grantId}">
<button type="submit" class="button quiet" data-busy="${t('layout.busy')}">${t('agents.disconnect')}<span class="hidden"> ${rich('agents.disconnectName', { name, server })}</span></button></form></li>`;
}

function times(page: PageFrame, agent: AgentView): Markup {
  const { t } = page;
  const since = html`<time datetime="${machineTime(agent.since)}">${dateText(agent.since, page)}</time>`;
  const used = agent.lastUsed === undefined ? t('agents.never') : html`<time datetime="${machineTime(agent.lastUsed)}">${agoText(agent.lastUsed, page)}</time>`;
  const until =
    agent.endsAt === undefined ? t('agents.untilUnused') : html`<time datetime="${machineTime(agent.endsAt)}">${dateText(agent.endsAt, page)}</time>`;
  return html`<div><dt>${t('agents.since')}</dt><dd>${since}</dd></div><div><dt>${t('agents.lastUsed')}</dt><dd>${used}</dd></div><div><dt>${t('agents.until')}</dt><dd>${until}</dd></div>`;
}

function throughWhom(page: PageFrame, { through }: AgentView): Markup | undefined {
  const { t, rich } = page;
  if (!through) return undefined;
  const none = rich('agents.throughNone', { server: html`<bdi>${displayText(through.serverName)}</bdi>` });
  const lines = through.agents.map(({ client, serverName, lastUsed }) => {
    const when = html`<time datetime="${machineTime(lastUsed)}">${agoText(lastUsed, page)}</time>`;
    const name = nameInSentence(page, clientIdentity(client, page));
    return html`<span class="line">${rich('agents.throughOne', { name, server: html`<bdi>${displayText(serverName)}</bdi>`, when })}</span>`;
  });
  return html`<div><dt>${t('agents.through')}</dt><dd>${lines.length > 0 ? lines : none}</dd></div>`;
}
