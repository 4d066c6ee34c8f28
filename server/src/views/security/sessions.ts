/**
 * Owns: where a person is signed in, and the two ways to end that: one session, or all of them with a box for the agents, which starts empty.
 */
import { html } from 'hono/html';
import { deviceText } from '../device-name.ts';
import type { Markup, PageFrame } from '../layout.ts';
import { agoText, dateText, machineTime } from '../moments.ts';
import type { SecuritySection } from '../security-page.ts';

/** Times are epoch seconds. */
export type SessionView = {
  /** What the form calls it. */
  name: string;
  userAgent?: string;
  address?: string;
  sameAddress: boolean;
  startedAt: number;
  seenAt: number;
  current: boolean;
};
export type SessionsValues = { csrf: { end: string; endAll: string }; sessions: readonly SessionView[] };

/** Renders the section; its forms post to `{base}/account/security/sessions/end` and `…/end-all`. */
export function sessionsView(page: PageFrame, values: SessionsValues): SecuritySection {
  const { t, base } = page;
  const body = html`<p>${t('sessions.text')}</p>
<ul class="entries">${values.sessions.map((session) => entry(page, values, session))}</ul>
<form method="post" action="${base}/account/security/sessions/end-all"><input type="hidden" name="csrf" value="${values.csrf.endAll}">
<h3>${t('sessions.everywhere')}</h3>
<label class="check"><input type="checkbox" name="agents" value="1" aria-describedby="agents-hint"><span>${t('sessions.agents')}</span></label>
<p class="hint" id="agents-hint">${t('sessions.agentsHint')}</p>
<button type="submit" class="button quiet" data-busy>${t('sessions.endAll')}</button></form>`;
  return { id: 'sessions', title: t('sessions.title'), body };
}

function entry(page: PageFrame, values: SessionsValues, session: SessionView): Markup {
  const { t } = page;
  const device = deviceText(session.userAgent, page);
  const started = html`<time datetime="${machineTime(session.startedAt)}">${dateText(session.startedAt, page)}</time>`;
  const seen = html`<time datetime="${machineTime(session.seenAt)}">${agoText(session.seenAt, page)}</time>`;
  return html`<li class="entry"><h3><bdi>${device}</bdi>${session.current && html` <span class="tag">${t('sessions.current')}</span>`}</h3>
<dl class="times">${session.address !== undefined && html`<div><dt>${t('sessions.address')}</dt><dd><bdi>${session.address}</bdi>${session.sameAddress && !session.current && html` ${t('sessions.thisNetwork')}`}</dd></div>`}
<div><dt>${t('sessions.started')}</dt><dd>${started}</dd></div><div><dt>${t('sessions.seen')}</dt><dd>${seen}</dd></div></dl>
${!session.current && endForm(page, values, session, device)}</li>`;
}

function endForm({ base, t }: PageFrame, { csrf }: SessionsValues, { name }: SessionView, device: string): Markup {
  return html`<form method="post" action="${base}/account/security/sessions/end"><input type="hidden" name="csrf" value="${csrf.end}"><input type="hidden" name="session" value="${name}">
<button type="submit" class="button quiet" data-busy>${t('sessions.end')}<span class="hidden"> <bdi>${device}</bdi></span></button></form>`;
}
