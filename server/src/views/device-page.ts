/**
 * Owns: the three pages of a device without a browser (RFC 8628 §3.3): enter its code, check that it is yours, done. The second is a consent with the code to compare,
 * and says when and from where the device asked (§5.4, remote phishing). Nothing on them is chosen beforehand.
 */
import { html } from 'hono/html';
import { clientIdentity } from './client-identity.ts';
import { warningLine } from './client-line.ts';
import { type AskedValues, developerDetails, duration, permissions, whoAndWhat, whoIsSignedIn } from './consent-page.ts';
import { visibleText } from './display-text.ts';
import { errorSummary } from './error-summary.ts';
import { icons } from './icons.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { machineTime, secondsAgoText, waitText } from './moments.ts';
import type { MessageKey, Words } from './words.ts';

/** `prefilled`: the code came with the address, so the person has not read it from the device yet. */
export type DeviceEntryValues = {
  csrf: string;
  user: AskedValues['user'];
  userCode?: string;
  prefilled?: boolean;
  error?: 'missing' | 'unknown' | 'throttled';
  retryAfterSeconds?: number;
  /** How long codes last, in seconds. */
  lifetimeSeconds: number;
};

/** Renders the form that posts `csrf` and `user_code` to `{base}/device`. */
export function deviceEntryPage(page: PageFrame, values: DeviceEntryValues): string {
  const { t } = page;
  const problem = problemOf(page, values);
  const main = html`${errorSummary(page, problem === undefined ? [] : [{ field: 'user_code', text: problem }])}
<h1>${t('device.title')}</h1>
<p>${t('device.text')}</p>
<form method="post" action="${page.base}/device">
<input type="hidden" name="csrf" value="${values.csrf}">
${codeField(page, values)}
${values.prefilled && html`<p class="note">${t('device.prefilled')}</p>`}
<button type="submit" class="button main" data-busy>${t('device.continue')}</button>
</form>
<p class="care">${t('device.sentToYou')}</p>`;

  return renderPage(page, { title: t('device.title'), why: 'why.device', aside: who(page, values.user), main });
}

function codeField({ t }: Words, { userCode, error }: DeviceEntryValues): Markup {
  const invalid = error === 'missing' || error === 'unknown';
  return html`<div class="field"><label for="user_code">${t('device.code')}</label><p class="hint" id="code-hint">${t('device.codeHint')}</p>
<input id="user_code" name="user_code" class="user-code" type="text" inputmode="text" required maxlength="40" autocomplete="off" autocapitalize="characters" autocorrect="off" spellcheck="false" aria-describedby="${invalid ? 'problems code-hint' : 'code-hint'}"${userCode !== undefined && html` value="${userCode}"`}${invalid && html` aria-invalid="true"`}${error === undefined && html` autofocus`}></div>`;
}

function problemOf(page: PageFrame, { error, retryAfterSeconds = 1, lifetimeSeconds }: DeviceEntryValues): string | undefined {
  const { t } = page;
  if (error === 'missing') return t('device.error.missing');
  if (error === 'unknown') return t('device.error.unknown', { lifetime: waitText(lifetimeSeconds, page) });
  return error && t('error.throttled', { wait: waitText(retryAfterSeconds, page) });
}

/** Times are epoch seconds. */
export type DeviceConfirmValues = AskedValues & {
  csrf: string;
  /** As the device shows it: `WDJB-MJHT`. */
  userCode: string;
  requestedAt: number;
  /** Where the device asked from. */
  address: string;
  /** The device asked from the network that this browser is on. */
  sameNetwork: boolean;
  technical: { clientId: string; scope: string; resource: string };
};

/** Renders the form that posts `csrf`, `user_code`, `decision=deny|allow` and the ticked optional `scope` values to `{base}/device`. */
export function deviceConfirmPage(page: PageFrame, values: DeviceConfirmValues): string {
  const { t, rich } = page;
  const identity = clientIdentity(values.client, page);
  const shown = html`<strong class="place whole"><bdi>${values.userCode}</bdi></strong>`;
  const main = html`<h1>${t('device.compare')}</h1>
<p class="device-code" id="code"><bdi>${values.userCode}</bdi></p>
<form method="post" action="${page.base}/device">
<input type="hidden" name="csrf" value="${values.csrf}">
<input type="hidden" name="user_code" value="${values.userCode}">
<dl class="facts">
${whoAndWhat(page, values, identity)}
<div><dt>${t('device.where')}</dt><dd><p class="target">${rich('redirect.device', { place: shown })}</p></dd></div>
<div><dt>${t('device.requested')}</dt><dd><p>${requested(page, values)}</p>${!values.sameNetwork && warningLine(page, t('device.otherNetwork'))}</dd></div>
</dl>
${permissions(page, values, 'first')}
<p class="care" id="care">${t('consent.agents')}</p>
${duration(page, values)}
<div class="care strong" id="sent">${icons.warning}<p><strong>${t('device.sent')}</strong> ${t('device.never')}</p></div>
${buttons(page)}
</form>
<p class="small center">${rich('consent.undo', { agents: html`<a href="${page.base}/account/agents">${t('agents.title')}</a>` })}</p>
${developerDetails(page, technicalRows(page, values))}`;

  return renderPage(page, { title: t('device.compare'), why: 'why.device', width: 'wide', aside: who(page, values.user, values.userCode), main });
}

function requested(page: PageFrame, { requestedAt, address }: DeviceConfirmValues): Markup {
  const { rich } = page;
  const when = html`<strong><time datetime="${machineTime(requestedAt)}">${secondsAgoText(requestedAt, page)}</time></strong>`;
  return rich('device.when', { when, address: html`<strong><bdi>${visibleText(address)}</bdi></strong>` });
}

/** Deny is first in the tree, so that Enter, which presses the first submit button, can never approve. */
function buttons({ t }: Words): Markup {
  return html`<div class="decide">
<button type="submit" name="decision" value="deny" class="button even" data-busy>${t('consent.deny')}</button>
<button type="submit" name="decision" value="allow" class="button even" data-busy data-guard aria-describedby="code could care sent">${t('device.allow')}</button>
</div>`;
}

function technicalRows(page: PageFrame, { technical }: DeviceConfirmValues): [string, string][] {
  return [
    ['client_id', technical.clientId],
    ['scope', technical.scope],
    ['resource', technical.resource],
    ['request_id', page.requestId],
  ];
}

function who(page: PageFrame, user: AskedValues['user'], userCode?: string): Markup {
  const code = userCode === undefined ? '' : `&user_code=${encodeURIComponent(userCode)}`;
  return whoIsSignedIn(page, { user }, `${page.base}/login?to=device${code}&switch=1`);
}

/** Renders what came of it. */
export function deviceDonePage(page: PageFrame, { allowed }: { allowed: boolean }): string {
  const { t } = page;
  const words: [MessageKey, MessageKey] = allowed ? ['device.connected', 'device.connectedText'] : ['return.deniedTitle', 'device.denied'];
  const main = html`<div class="outcome">${allowed ? icons.done : icons.closed}
<h1>${t(words[0])}</h1>
<p>${t(words[1])}</p></div>
<p class="center"><a class="quiet-link" href="${page.base}/account/agents">${t('device.review')}</a></p>`;

  return renderPage(page, { title: t(words[0]), why: 'why.device', main });
}
