/**
 * Owns: the card of one connected agent: what it can do, since when and until when, whether it is stopped, and what the person can do about it (CON-07, ACC-01, ACC-02).
 */
import { html } from 'hono/html';
import type { ClientView } from './client-identity.ts';
import { clientIdentity } from './client-identity.ts';
import { clientLine, nameInSentence } from './client-line.ts';
import { developerDetails } from './consent-page.ts';
import type { ScopeView } from './describe-scope.ts';
import { isDuration } from './describe-scope.ts';
import { deviceText } from './device-name.ts';
import { displayText, visibleText } from './display-text.ts';
import { icons } from './icons.ts';
import type { Markup, PageFrame } from './layout.ts';
import { agoText, dateText, machineTime, untilText } from './moments.ts';
import { scopeList } from './scope-list.ts';
import type { MessageKey } from './words.ts';

/** Times are epoch seconds. */
export type AgentView = {
  /** The newest of its grants names the card. */
  grantId: string;
  client: ClientView;
  clientId: string;
  serverName: string;
  serverHost: string;
  scopes: readonly ScopeView[];
  since: number;
  /** Where the person sat who allowed it last. */
  from?: { address?: string; userAgent?: string };
  lastUsed?: number;
  endsAt?: number;
  /** When it ends by itself unless it is used again, where `endsAt` is not known; and what disuse that is, in days, if any. */
  lapsesAt?: number;
  dormantDays?: number;
  /** Who has stopped it. */
  stopped?: 'person' | 'operator';
  /** What it did in the last seven days, where servers report it. */
  week?: { actions: number; refused: number };
  /** When the person said yes, newest first: each has its receipt. */
  consents: readonly { grantId: string; at: number }[];
  /** Present when it acts only through agents connected to the server it speaks for: that server's name, and who did. */
  through?: { serverName: string; agents: readonly { client: ClientView; serverName: string; lastUsed: number }[] };
};

const DAY = 86_400;
const SOON_DAYS = 7;
const UNUSED_DAYS = 14;

type Act = { path: 'disconnect' | 'pause' | 'resume'; words: MessageKey };

/** Renders a card; its forms post `csrf` and `grant` to `{base}/account/agents/disconnect`, `…/pause` or `…/resume`. */
export function agentCard(page: PageFrame, csrf: string, agent: AgentView, index: number): Markup {
  const { t, rich } = page;
  const identity = clientIdentity(agent.client, page);
  const server = html`<bdi>${displayText(agent.serverName)}</bdi>`;
  const name = html`<bdi>${identity.name}</bdi>`;
  const whose = html`<span class="hidden"> ${rich('agents.disconnectName', { name, server })}</span>`;
  const form = ({
    path,
    words,
  }: Act) => html`<form method="post" action="${page.base}/account/agents/${path}"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="grant" value="${agent.grantId}">
<button type="submit" class="button quiet" data-busy>${t(words)}${whose}</button></form>`;
  return html`<li class="agent"><h2>${name} <span class="on">${rich('agents.on', { server: html`<strong>${server}</strong>` })}</span></h2>
<p class="muted host"><bdi>${visibleText(agent.serverHost)}</bdi></p>
${stopped(page, agent)}${standing(page, agent)}
${clientLine(page, identity)}
${scopeList(
  page,
  agent.scopes.filter((scope) => !isDuration(scope)),
  { id: `agent-${index}` },
)}
<dl class="times">${times(page, agent)}${throughWhom(page, agent)}</dl>
<div class="acts">${form({ path: 'disconnect', words: 'agents.disconnect' })}
${agent.stopped === 'operator' ? '' : form(agent.stopped ? { path: 'resume', words: 'agents.resume' } : { path: 'pause', words: 'agents.pause' })}
<a class="button quiet" href="${page.base}/account/agents/reduce?grant=${encodeURIComponent(agent.grantId)}">${t('agents.reduce')}${whose}</a></div>
${receipts(page, agent)}
${developerDetails(page, [
  ['client_id', agent.clientId],
  ['grant_id', agent.consents.map(({ grantId }) => grantId).join(' ')],
])}</li>`;
}

function stopped({ t, serviceName }: PageFrame, agent: AgentView): Markup | undefined {
  if (agent.stopped === undefined) return undefined;
  const words = agent.stopped === 'person' ? (['agents.paused', 'agents.pausedText'] as const) : (['agents.held', 'agents.heldText'] as const);
  return html`<p class="stopped">${icons.paused}<span><strong>${t(words[0], { service: serviceName })}</strong> ${t(words[1])}</span></p>`;
}

/** What is worth a line: it ends soon, or nobody has used it for long. */
function standing(page: PageFrame, { endsAt, lapsesAt, dormantDays = Infinity, lastUsed, since, stopped: byWhom }: AgentView): Markup | undefined {
  const { t, now } = page;
  if (now === undefined || byWhom !== undefined) return undefined;
  const unusedDays = Math.floor((now - (lastUsed ?? since)) / DAY);
  const end = endsAt ?? lapsesAt;
  // Where a few days of disuse end access, its end is always near.
  const isSoon = end !== undefined && end - now < Math.min(SOON_DAYS, dormantDays / 2) * DAY;
  const unused = endsAt === undefined && (unusedDays >= UNUSED_DAYS || (isSoon && unusedDays > 0)) && t('agents.unusedFor', { days: unusedDays });
  const ends = end !== undefined && (isSoon || unused) && t('agents.endsIn', { when: untilText(end, page) });
  const said = [unused, ends].filter((words) => words !== false);
  return said.length > 0 ? html`<p class="standing">${said.join(' ')}</p>` : undefined;
}

function receipts(page: PageFrame, { consents }: AgentView): Markup {
  const { rich } = page;
  const link = ({ grantId, at }: { grantId: string; at: number }) =>
    html`<a href="${page.base}/account/agents/${grantId}/receipt">${rich('agents.receipt', {
      date: html`<time datetime="${machineTime(at)}">${dateText(at, page)}</time>`,
    })}</a>`;
  return html`<ul class="receipts">${consents.map((consent) => html`<li>${link(consent)}</li>`)}</ul>`;
}

function times(page: PageFrame, agent: AgentView): Markup {
  const { t } = page;
  const since = html`<time datetime="${machineTime(agent.since)}">${dateText(agent.since, page)}</time>`;
  const used = agent.lastUsed === undefined ? t('agents.never') : html`<time datetime="${machineTime(agent.lastUsed)}">${agoText(agent.lastUsed, page)}</time>`;
  const until =
    agent.endsAt === undefined ? untilWhat(page, agent) : html`<time datetime="${machineTime(agent.endsAt)}">${dateText(agent.endsAt, page)}</time>`;
  const row = (words: MessageKey, value: unknown) => html`<div><dt>${t(words)}</dt><dd>${value}</dd></div>`;
  const week = agent.week && row('agents.week', t('agents.weekCounts', agent.week));
  const from =
    agent.from &&
    row(
      'agents.place',
      html`<bdi>${deviceText(agent.from.userAgent, page)}</bdi>${agent.from.address !== undefined && html` <bdi>${agent.from.address}</bdi>`}`,
    );
  return html`${row('agents.since', since)}${from}${row('agents.lastUsed', used)}${row('agents.until', until)}${week}`;
}

function untilWhat({ t }: PageFrame, { dormantDays }: AgentView): string {
  return dormantDays === undefined ? t('agents.untilUnused') : t('agents.untilDormant', { days: dormantDays });
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
