/**
 * Owns: the page on which somebody who may not use a server asks those who run it, and sees what became of that.
 */
import { html } from 'hono/html';
import { accountAside } from './account-frame.ts';
import { displayText, visibleText } from './display-text.ts';
import { errorSummary } from './error-summary.ts';
import { icons } from './icons.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { dateText, machineTime, waitText } from './moments.ts';

/** Characters of a message. */
export const MAX_MESSAGE = 500;

export type AskAccessProblem = 'long' | 'throttled';
/** `until`: when the question is over, or may be asked again. Epoch seconds. */
export type AskAccessState = { is: 'free' } | { is: 'allowed' } | { is: 'open' | 'denied'; at: number; until: number };

export type AskAccessPageValues = {
  csrf: string;
  user: { name: string; email?: string };
  server: { id: string; name: string };
  state: AskAccessState;
  /** What was entered and not sent. */
  message?: string;
  problem?: AskAccessProblem;
  retryAfterSeconds?: number;
};

/** Renders the form that posts `csrf`, `server` and `message` to `{base}/account/ask`, or where the question stands. */
export function askAccessPage(page: PageFrame, values: AskAccessPageValues): string {
  const { t, rich } = page;
  const { state, problem } = values;
  const server = rich('quoted', { text: html`<bdi>${displayText(values.server.name)}</bdi>` });
  const tooOften = problem === 'throttled' && t('error.throttled', { wait: waitText(values.retryAfterSeconds ?? 0, page) });
  const text = problem && (tooOften || t('ask.problem.long', { count: MAX_MESSAGE }));
  const main = html`${errorSummary(page, text === undefined ? [] : [{ field: 'message', text }])}
<h1>${rich('ask.heading', { server })}</h1>
${state.is === 'free' ? form(page, values, text) : standing(page, state, server)}
<p><a href="${page.base}/account/agents">${t('problem.goTo.agents')}</a></p>`;
  return renderPage(page, { title: t('ask.title'), why: 'why.account', aside: accountAside(page, values.user), main });
}

function standing(page: PageFrame, state: Exclude<AskAccessState, { is: 'free' }>, server: Markup): Markup {
  const { rich } = page;
  if (state.is === 'allowed') return html`<div class="done" role="status">${icons.done}<p>${rich('ask.allowed', { server })}</p></div>`;
  const date = (seconds: number) => html`<time datetime="${machineTime(seconds)}">${dateText(seconds, page)}</time>`;
  return html`<p><strong>${rich(`ask.${state.is}`, { date: date(state.at) })}</strong></p>
<p>${rich(`ask.${state.is}Text`, { date: date(state.until) })}</p>`;
}

function form({ t, base }: PageFrame, { csrf, server, message = '', user }: AskAccessPageValues, problem: string | undefined): Markup {
  const who = user.email === undefined ? user.name : `${user.name} (${user.email})`;
  return html`<p>${t('ask.lead')}</p>
<form method="post" action="${base}/account/ask"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="server" value="${server.id}">
<div class="field"><label for="message">${t('ask.message')}</label><p class="hint" id="message-hint">${t('ask.messageHint', { who: visibleText(who), count: MAX_MESSAGE })}</p>
${problem !== undefined && html`<p class="problem" id="message-problem">${problem}</p>`}<textarea id="message" name="message" rows="4" maxlength="${MAX_MESSAGE}" aria-describedby="message-hint${problem !== undefined && ' message-problem'}"${problem !== undefined && html` aria-invalid="true"`}>${message}</textarea></div>
<button type="submit" class="button main" data-busy>${t('ask.submit')}</button></form>`;
}
