/**
 * Owns: the page on which a person takes back a part of what an agent may do, or lets it end sooner (ACC-02). What it may do is ticked; leaving a tick out takes it back.
 */
import { html } from 'hono/html';
import type { ClientView } from './client-identity.ts';
import { clientIdentity } from './client-identity.ts';
import { nameInSentence } from './client-line.ts';
import type { ScopeView } from './describe-scope.ts';
import { displayText, visibleText } from './display-text.ts';
import { errorSummary } from './error-summary.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { dateText } from './moments.ts';
import { scopeText } from './scope-list.ts';

/** How much sooner it may end. */
export const SHORTER = ['30_days', '8_hours', '1_hour'] as const;
export type Shorter = (typeof SHORTER)[number];

export type ReducePageValues = {
  csrf: string;
  grantId: string;
  client: ClientView;
  serverName: string;
  scopes: readonly (ScopeView & { fixed?: boolean })[];
  /** Epoch seconds. */
  endsAt?: number;
  /** Disuse ends it, too, after so many days. */
  dormantDays?: number;
  /** What would be sooner than it ends now. */
  sooner: readonly Shorter[];
  /** Nothing was left ticked, or nothing was changed. */
  error?: 'nothingLeft' | 'nothingChanged';
};

/** Renders the form that posts `csrf`, `grant`, the ticked `scope` values and `until` to `{base}/account/agents/reduce`. */
export function reducePage(page: PageFrame, values: ReducePageValues): string {
  const { t, rich } = page;
  const identity = clientIdentity(values.client, page);
  const server = rich('quoted', { text: html`<bdi>${displayText(values.serverName)}</bdi>` });
  const main = html`${values.error && errorSummary(page, [{ text: t(`reduce.${values.error}`), field: 'could' }])}
<h1>${rich('reduce.heading', { name: nameInSentence(page, identity), server })}</h1>
<p>${t('reduce.lead')}</p>
<form method="post" action="${page.base}/account/agents/reduce"><input type="hidden" name="csrf" value="${values.csrf}"><input type="hidden" name="grant" value="${values.grantId}">
<fieldset class="kept" id="could"><legend>${t('consent.can')}</legend>${values.scopes.map((scope) => choice(page, scope))}</fieldset>
${values.sooner.length > 0 && until(page, values)}
<p class="hint">${t('reduce.when')}</p>
<div class="decide"><a class="button even" href="${page.base}/account/agents">${t('reduce.cancel')}</a>
<button type="submit" class="button main" data-busy>${t('reduce.submit')}</button></div></form>`;
  return renderPage(page, { title: t('reduce.title', { name: identity.name }), why: 'why.account', width: 'wide', main });
}

/** Who somebody is cannot be taken back from an agent that goes on signing them in. */
function choice(page: PageFrame, scope: ScopeView & { fixed?: boolean }): Markup {
  const { t } = page;
  const box = scope.fixed ? html`<input type="checkbox" checked disabled>` : html`<input type="checkbox" name="scope" value="${scope.name}" checked>`;
  return html`<label class="scope choice">${box}<span>${scopeText(page, scope)}${scope.optional && html` <span class="tag">${t('consent.optional')}</span>`}</span> <code>${visibleText(scope.name)}</code></label>`;
}

function until(page: PageFrame, { endsAt, dormantDays, sooner }: ReducePageValues): Markup {
  const { t } = page;
  const open = dormantDays === undefined ? t('reduce.untilUnused') : t('reduce.untilDormant', { days: dormantDays });
  const now = endsAt === undefined ? open : t('reduce.asNow', { date: dateText(endsAt, page) });
  const option = (value: string, words: string, checked = false) =>
    html`<label class="check"><input type="radio" name="until" value="${value}"${checked && html` checked`}><span>${words}</span></label>`;
  return html`<fieldset class="kept"><legend>${t('agents.until')}</legend>${option('', now, true)}${sooner.map((each) => option(each, t(`reduce.${each}`)))}</fieldset>`;
}
