/**
 * Owns: what the agents of a person did, grouped by run, with what happened to their access in between, and what to do about a run that was not theirs. Names of
 * actions are text that a server chose.
 */
import { html } from 'hono/html';
import { accountAside, accountMenu } from './account-frame.ts';
import { byLanguage, listFormat } from './by-language.ts';
import { type ClientView, clientIdentity } from './client-identity.ts';
import { nameInSentence } from './client-line.ts';
import { displayText, visibleText } from './display-text.ts';
import { icons } from './icons.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { agoText, machineTime } from './moments.ts';
import type { MessageKey } from './words.ts';

/** Who acted, and where. */
export type ActorView = { client: ClientView; serverName: string };
/** Times are epoch seconds. */
export type RunView = ActorView & {
  kind: 'run';
  /** One of the grants it acted under. */
  grantId: string;
  at: number;
  until: number;
  actions: readonly { name: string; outcome: 'allowed' | 'refused'; missing: readonly string[]; times: number }[];
};
export type Happening = 'approved' | 'paused' | 'resumed' | 'reduced' | 'revoked' | 'reused' | `lapsed.${'unused' | 'longest' | 'chosen'}`;
/** Something that was done about an agent; about all of them without one. */
export type HappeningView = {
  kind: 'happening';
  what: Happening;
  at: number;
  actor?: ActorView /** After how many, where the words say that. */;
  days?: number;
};

export type ActivityPageValues = {
  csrf: string;
  user: { name: string; email?: string };
  entries: readonly (RunView | HappeningView)[];
  /** Whether there are older ones than what is shown. */
  more: boolean;
  agents: readonly { grantId: string; actor: ActorView }[];
  chosen: { agent?: string; result?: 'allowed' | 'refused'; day?: string };
  /** Agents that were used, and whose servers tell nothing but that. */
  silent: readonly (ActorView & { lastUsed: number })[];
  keptDays: number;
  /** Query of the page, with its question mark, for the same as a file. */
  query: string;
  /** Whether people sign in with passwords here. */
  passwords: boolean;
  /** The agent that was just stopped with "This wasn't me". */
  stopped?: ActorView;
};

/** Renders the page; "This wasn't me" posts `csrf` and `grant` to `{base}/account/activity/not-me`. */
export function activityPage(page: PageFrame, values: ActivityPageValues): string {
  const { t } = page;
  const { entries, silent, keptDays, query } = values;
  const main = html`${values.stopped && steps(page, values.stopped, values.passwords)}
<h1>${t('activity.title')}</h1>
<p>${t('activity.privacy')} ${keptDays > 0 ? t('activity.kept', { days: keptDays }) : t('activity.notKept')}</p>
${filterForm(page, values)}
${
  entries.length > 0
    ? html`<ul class="agents">${entries.map((entry) => (entry.kind === 'run' ? run(page, values.csrf, entry) : happening(page, entry)))}</ul>`
    : html`<p class="muted">${t('activity.none')}</p>`
}
${values.more && html`<p class="muted">${t('activity.more')}</p>`}
${silent.map((one) => html`<p class="muted">${phrase(page, 'activity.silent', one)} <time datetime="${machineTime(one.lastUsed)}">${agoText(one.lastUsed, page)}</time></p>`)}
<p class="beside"><a href="${page.base}/account/activity.csv${query}">${t('activity.csv')}</a> <a href="${page.base}/account/activity.json${query}">${t('activity.json')}</a></p>`;
  return renderPage(page, {
    title: t('activity.title'),
    why: 'why.account',
    width: 'wide',
    aside: accountAside(page, values.user),
    nav: accountMenu(page, 'activity'),
    main,
  });
}

function phrase(page: PageFrame, words: MessageKey, { client, serverName }: ActorView): Markup {
  const server = html`<bdi>${displayText(serverName)}</bdi>`;
  return page.rich(words, { name: nameInSentence(page, clientIdentity(client, page)), server });
}

function run(page: PageFrame, csrf: string, entry: RunView): Markup {
  const { t } = page;
  const total = entry.actions.reduce((sum, { times }) => sum + times, 0);
  return html`<li class="agent"><h2>${phrase(page, 'activity.who', entry)}</h2>
<p class="muted"><bdi>${span(entry.at, entry.until, page)}</bdi> · ${t('activity.count', { count: total })}</p>
<ul class="receipts">${entry.actions.map((action) => actionLine(page, action))}</ul>
<form method="post" action="${page.base}/account/activity/not-me"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="grant" value="${entry.grantId}">
<button type="submit" class="button quiet" data-busy>${t('activity.notMe')}<span class="hidden"> ${phrase(page, 'activity.who', entry)}, ${span(entry.at, entry.at, page)}</span></button></form></li>`;
}

function actionLine(page: PageFrame, { name, outcome, missing, times }: RunView['actions'][number]): Markup {
  const { t, rich, language } = page;
  const count = times > 1 ? html` <span class="muted">×${new Intl.NumberFormat(language).format(times)}</span>` : '';
  const needs = listFormat(language).format(missing.map((scope) => visibleText(scope)));
  const result =
    outcome === 'allowed'
      ? t('activity.allowed')
      : missing.length > 0
        ? rich('activity.needs', { scopes: html`<code><bdi>${needs}</bdi></code>` })
        : t('activity.refused');
  return html`<li><code><bdi>${displayText(name, 100)}</bdi></code>${count} · ${result}</li>`;
}

function happening(page: PageFrame, { what, at, actor, days = 0 }: HappeningView): Markup {
  const said = actor ? html` · ${phrase(page, 'activity.who', actor)}` : html` · ${page.t('activity.all')}`;
  return html`<li class="agent"><p><strong>${page.t(`activity.${what}`, { days })}</strong>${said} <span class="muted when"><bdi><time datetime="${machineTime(at)}">${span(at, at, page)}</time></bdi></span></p></li>`;
}

/** Stopped first, then what else there is to do, in the order of how much it ends. */
function steps(page: PageFrame, actor: ActorView, passwords: boolean): Markup {
  const { t, base } = page;
  const step = (path: string, words: MessageKey) => html`<li><a href="${base}${path}">${t(words)}</a></li>`;
  return html`<div class="done" role="status">${icons.paused}<div><p><strong>${phrase(page, 'activity.stopped', actor)}</strong> ${t('activity.next')}</p>
<ol>${step('/account/agents', 'activity.stepDisconnect')}${passwords && step('/account/security/password', 'activity.stepPassword')}${step('/account/security', 'activity.stepSessions')}
<li>${t('activity.stepTell')}${page.contact !== undefined && html` <bdi>${visibleText(page.contact)}</bdi>`}</li></ol></div></div>`;
}

function filterForm(page: PageFrame, { agents, chosen }: ActivityPageValues): Markup {
  const { t } = page;
  const option = (value: string, selected: boolean, label: unknown) => html`<option value="${value}"${selected && html` selected`}>${label}</option>`;
  const named = ({ client, serverName }: ActorView) => `${displayText(client.name) || '?'} · ${displayText(serverName)}`;
  return html`<form method="get" action="${page.base}/account/activity" class="filter"><div class="field"><label for="agent">${t('activity.agent')}</label>
<select id="agent" name="agent">${option('', chosen.agent === undefined, t('activity.anyAgent'))}${agents.map(({ grantId, actor }) => option(grantId, grantId === chosen.agent, named(actor)))}</select></div>
<div class="field"><label for="result">${t('activity.result')}</label><select id="result" name="result">${option('', chosen.result === undefined, t('activity.anyResult'))}
${option('allowed', chosen.result === 'allowed', t('activity.allowed'))}${option('refused', chosen.result === 'refused', t('activity.refused'))}</select></div>
<div class="field"><label for="day">${t('activity.day')}</label><input id="day" name="day" type="date" value="${chosen.day ?? ''}"></div>
<button type="submit" class="button quiet">${t('agents.filterSubmit')}</button></form>`;
}

const spans = byLanguage((language) => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23', timeZone: 'UTC' }));

/** Day and minute, once where both are the same. In UTC like every date here; the lead of the page says so. */
function span(from: number, until: number, { language }: PageFrame): string {
  return spans(language).formatRange(from * 1000, until * 1000);
}
