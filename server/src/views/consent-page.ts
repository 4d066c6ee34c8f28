/**
 * Owns: the consent page in its three shapes: first consent, step-up (only the addition is asked) and reconnect (nothing new).
 * Order is deliberate: decision, who, what, where, consequences, duration, warning, buttons. CON-01, CON-02, CON-05, CON-10, CIMD-15.
 */
import { html } from 'hono/html';
import { listFormat } from './by-language.ts';
import type { ClientIdentity, ClientView } from './client-identity.ts';
import { clientIdentity } from './client-identity.ts';
import { clientLine, nameInSentence, warningLine } from './client-line.ts';
import type { ScopeView } from './describe-scope.ts';
import { describeScope, isDuration, scopeGroup } from './describe-scope.ts';
import { displayText, visibleText } from './display-text.ts';
import { type DurationChoice, durationChoice, untilDisconnected } from './duration-choice.ts';
import { type HandOffOffer, handOffOffer } from './hand-off.ts';
import { icons } from './icons.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { dateText, secondsAgoText } from './moments.ts';
import type { RedirectTarget } from './redirect-target.ts';
import { describeRedirect } from './redirect-target.ts';
import { scopeList } from './scope-list.ts';
import type { MessageKey, Words } from './words.ts';

/** What is asked, however it came here: by a redirect or by a device. */
export type AskedValues = {
  client: ClientView;
  user: { name: string; email?: string };
  server: { name: string; host: string; resource: string };
  scopes: readonly ScopeView[];
  /** Further servers of the same request, each with its own permissions. */
  beside?: readonly { server: AskedValues['server']; scopes: readonly ScopeView[] }[];
  /** A refresh token is asked for. */
  offline: boolean;
  /** When renewable access ends by itself, in days. */
  lasts: { unused?: number; most: number };
  /** For how long the person may allow it; absent when it cannot be renewed. */
  durations?: DurationChoice;
  /** Name of the MCP server that the client speaks for: it acts only through agents that were connected there. */
  through?: string;
};

export type ConsentPageValues = AskedValues & {
  tx: string;
  csrf: string;
  /** The redirect URI of this request, not the registered list. */
  redirectUri: string;
  /** Overrides our comparison of redirect host and metadata document host. */
  redirectRegisteredHostMatches?: boolean;
  /** Names of the scopes that an existing grant does not have yet; makes this a step-up. */
  newScopes?: readonly string[];
  /** When the first of what it has already was allowed, in epoch seconds. */
  allowedSince?: number;
  /** The refusal that made the app ask for more, if its server told us. */
  lastRefusal?: LastRefusal;
  /** Present where the operator lets people carry a code to another computer, and the answer goes to this one. */
  handOff?: HandOffOffer;
  /** Everything was allowed before; only the person's presence is asked. */
  reconnect?: boolean;
  technical: { clientId: string; redirectUri: string; scope: string; resource: string; codeChallengeMethod: string; responseMode: string; prompt?: string };
};

/** What an MCP server said about a call it refused. `action` is its text, and a stranger's to us; `at` is epoch seconds, `missing` names scopes. */
export type LastRefusal = { action: string; missing: readonly string[]; at: number };

type Shape = 'first' | 'step-up' | 'reconnect';
type Labels = { title: MessageKey; heading: MessageKey; deny: MessageKey; allow: MessageKey; onlyIfYou: MessageKey };

const LABELS: Readonly<Record<Shape, Labels>> = {
  first: { title: 'consent.title', heading: 'consent.heading', deny: 'consent.deny', allow: 'consent.allow', onlyIfYou: 'consent.onlyIfYou' },
  'step-up': {
    title: 'consent.stepUpTitle',
    heading: 'consent.stepUpHeading',
    deny: 'consent.keep',
    allow: 'consent.allowMore',
    onlyIfYou: 'consent.onlyIfYouKeep',
  },
  reconnect: {
    title: 'consent.reconnectTitle',
    heading: 'consent.reconnectHeading',
    deny: 'consent.deny',
    allow: 'consent.reconnect',
    onlyIfYou: 'consent.onlyIfYou',
  },
};

/** Renders the form that posts `tx`, `csrf`, `decision=deny|allow` and the ticked optional `scope` values to `{base}/consent`. */
export function consentPage(page: PageFrame, values: ConsentPageValues): string {
  const { t, rich } = page;
  const identity = clientIdentity(values.client, page);
  const target = describeRedirect(values.redirectUri, page, {
    host: identity.tier === 'document' ? values.client.host : undefined,
    belongs: values.redirectRegisteredHostMatches,
  });
  const shape = shapeOf(values);
  const server = serverNames(page, values);
  const labels = LABELS[shape];

  const main = html`<h1>${rich(labels.heading, { name: nameInSentence(page, identity), server })}</h1>
${shape === 'step-up' && html`<p class="note"><strong>${t('consent.stepUpWhy')}</strong> ${whyNow(page, values)}</p>`}
${values.through !== undefined && html`<p class="note">${rich('consent.through', { server: html`<bdi>${displayText(values.through)}</bdi>` })}</p>`}
${shape === 'reconnect' && html`<p class="note">${t('consent.reconnectText')}</p>`}
<form method="post" action="${page.base}/consent">
<input type="hidden" name="tx" value="${values.tx}">
<input type="hidden" name="csrf" value="${values.csrf}">
${facts(page, values, { identity, target })}
${permissions(page, values, shape)}
<p class="care" id="care">${t('consent.agents')}</p>
${duration(page, values, shape === 'step-up')}
${target.anyProgram && programWarning(page, values, labels)}
${values.handOff && handOffOffer(page, values.tx, values.handOff)}
${buttons(page, labels, target)}
</form>
<p class="small center">${shape === 'step-up' && html`${t('consent.keepText')} `}${rich('consent.undo', { agents: html`<a href="${page.base}/account/agents">${t('agents.title')}</a>` })}</p>
${developerDetails(page, technicalRows(page, values))}`;

  return renderPage(page, {
    title: t(labels.title, { name: identity.name }),
    why: 'why.consent',
    width: 'wide',
    aside: whoIsSignedIn(page, values, `${page.base}/login?tx=${encodeURIComponent(values.tx)}&switch=1`),
    main,
  });
}

/** Every server that the question is about, in the list of the language. */
function serverNames(page: Words, { server, beside = [] }: AskedValues): Markup {
  const names = [server, ...beside.map((each) => each.server)].map(({ name }) => quotedName(page, name));
  const parts = listFormat(page.language).formatToParts(names.map((_, index) => String(index)));
  return html`${parts.map(({ type, value }) => (type === 'element' ? names[Number(value)] : value))}`;
}

function quotedName({ rich }: Words, name: string): Markup {
  return rich('quoted', { text: html`<bdi>${displayText(name)}</bdi>` });
}

function shapeOf(values: ConsentPageValues): Shape {
  if (values.reconnect) return 'reconnect';
  return values.scopes.some((scope) => isNew(scope, values)) ? 'step-up' : 'first';
}

function isNew(scope: ScopeView, values: { newScopes?: readonly string[] }): boolean {
  return scope.isNew ?? values.newScopes?.includes(scope.name) ?? false;
}

/** The reason is the server's word about a call it refused. Without it the page says no more than it knows. */
function whyNow(page: PageFrame, { lastRefusal, server, scopes }: ConsentPageValues): Markup {
  const { t, rich } = page;
  if (!lastRefusal || displayText(lastRefusal.action) === '') return html`${t('consent.stepUpText')}`;
  const missing = lastRefusal.missing.flatMap((name) => scopes.filter((scope) => scope.name === name)).map((scope) => describeScope(scope, page).text);
  return rich('consent.stepUpRefused', {
    when: secondsAgoText(lastRefusal.at, page),
    action: html`<code><bdi>${displayText(lastRefusal.action)}</bdi></code>`,
    server: html`<bdi>${displayText(server.name)}</bdi>`,
    missing: html`<strong>${listFormat(page.language).format(missing.length > 0 ? missing : lastRefusal.missing.map((name) => visibleText(name)))}</strong>`,
  });
}

/** Renders who decides, with the way to be somebody else. */
export function whoIsSignedIn({ t, rich }: Words, values: Pick<AskedValues, 'user'>, switchHref: string): Markup {
  const user = html`<strong><bdi>${displayText(values.user.email ?? values.user.name, 80)}</bdi></strong>`;
  return html`<p class="account"><span>${rich('consent.signedInAs', { user })}</span> <a href="${switchHref}">${t('consent.switch')}</a></p>`;
}

function facts(page: Words, values: ConsentPageValues, { identity, target }: { identity: ClientIdentity; target: RedirectTarget }): Markup {
  const { t } = page;
  return html`<dl class="facts">
${whoAndWhat(page, values, identity)}
<div><dt>${t('consent.where')}</dt><dd><p class="target">${targetLine(page, target)}</p>
${target.warning !== undefined && warningLine(page, target.warning)}
<details><summary>${t('consent.fullAddress')}</summary><p><code>${visibleText(values.redirectUri)}</code></p></details></dd></div>
</dl>`;
}

/** Renders who asks and for which servers, as rows of a list of facts. */
export function whoAndWhat(page: Words, { server, beside = [] }: AskedValues, identity: ClientIdentity): Markup {
  const { t } = page;
  const servers = [server, ...beside.map((each) => each.server)];
  return html`<div><dt>${t('consent.who')}</dt><dd>${clientLine(page, identity)}</dd></div>
<div><dt>${t('consent.what')}</dt><dd>${servers.map(({ name, host }) => html`<p><strong><bdi>${displayText(name)}</bdi></strong> <span class="muted site"><bdi>${visibleText(host)}</bdi></span></p>`)}</dd></div>`;
}

/** Renders when access ends by itself. */
export function duration(page: Words & { now?: number }, values: AskedValues, addition = false): Markup {
  const { durations, lasts, through } = values;
  if (durations) return durationChoice(page, { durations, lasts, through, addition });
  const renewable = values.offline || values.scopes.some(isDuration);
  return html`<dl class="facts"><div><dt>${page.t('consent.howLong')}</dt><dd><p>${durationText(page, values, renewable)}</p></dd></div></dl>`;
}

function durationText(page: Words, { through, lasts }: AskedValues, renewable: boolean): string {
  return through !== undefined || renewable ? untilDisconnected(page, { through, lasts }) : page.t('consent.once');
}

/** The place is strong, so that the eye lands on it; the sentence around it stays in the order of the language. */
function targetLine({ rich }: Words, target: RedirectTarget): Markup {
  const rest = target.place.slice(0, target.place.length - target.owner.length);
  const place = html`<strong class="place"><bdi>${rest !== '' && html`<span class="sub">${rest}</span>`}${target.owner}</bdi></strong>`;
  if (target.kind === 'loopback') return rich('redirect.loopback', { place });
  if (target.kind === 'custom-scheme') return rich('redirect.scheme', { place });
  return target.kind === 'code-page' ? html`${target.line}` : place;
}

/** Renders what it could do, with a box for each choice; of several servers, under the name of each. */
export function permissions(page: Words, values: AskedValues & { newScopes?: readonly string[]; allowedSince?: number }, shape: Shape): Markup {
  const { t } = page;
  const offered = values.scopes.filter((scope) => scope.offered !== false && !isDuration(scope));
  const everywhere = [...offered, ...(values.beside ?? []).flatMap(({ scopes }) => scopes)];
  const choices = everywhere.some((scope) => scope.optional && (shape === 'first' || isNew(scope, values)));
  return html`<section class="permissions" aria-labelledby="could"><h2 id="could">${t(PERMISSIONS_TITLE[shape])}</h2>
${choices && html`<p class="hint">${t('consent.optionalHint')}</p>`}
${values.beside ? perServer(page, offered, values, shape) : shape === 'step-up' ? stepUpLists(page, offered, values) : offered.length === 0 ? html`<p>${t('consent.noScopes')}</p>` : scopeList(page, offered, { id: 'scope', choices: shape === 'first' })}
${notOffered(
  page,
  values.scopes.filter((scope) => scope.offered === false),
  values.beside !== undefined,
)}
</section>`;
}

/** Who the person is belongs to the request as a whole; everything else to the server that it is about. Nothing is folded away, so that no server looks harmless beside another. */
function perServer(page: Words, offered: readonly ScopeView[], { server, beside = [] }: AskedValues, shape: Shape): Markup {
  const isIdentity = (scope: ScopeView) => scopeGroup(scope) === 'identity';
  const servers = [{ server, scopes: offered.filter((scope) => !isIdentity(scope)) }, ...beside];
  const options = { choices: shape === 'first', open: true };
  const identity = offered.filter(isIdentity);
  return html`${identity.length > 0 && scopeList(page, identity, { ...options, id: 'who' })}
${servers.map(({ server: { name, host }, scopes }, index) => {
  const id = `server-${index}`;
  const list = scopes.length === 0 ? html`<p>${page.t('consent.noScopes')}</p>` : scopeList(page, scopes, { ...options, id, below: true });
  return html`<section class="server" aria-labelledby="${id}"><h3 id="${id}">${quotedName(page, name)} <span class="muted site"><bdi>${visibleText(host)}</bdi></span></h3>${list}</section>`;
})}`;
}

const PERMISSIONS_TITLE = { first: 'consent.could', 'step-up': 'consent.newTitle', reconnect: 'consent.can' } as const;

/** What was allowed before is folded away, except what can do harm: that stays in sight beside the addition. */
function stepUpLists(page: Words, offered: readonly ScopeView[], values: { newScopes?: readonly string[]; allowedSince?: number }): Markup {
  const { t } = page;
  const before = offered.filter((scope) => !isNew(scope, values));
  const harmless = before.filter((scope) => isHarmless(scope));
  const harmful = before.filter((scope) => !isHarmless(scope));
  const tag = t('consent.already');
  const since = values.allowedSince === undefined ? tag : t('consent.alreadySince', { date: dateText(values.allowedSince, page) });
  return html`<div class="fresh">${scopeList(
    page,
    offered.filter((scope) => isNew(scope, values)),
    { id: 'new', choices: true, open: true, tag: t('consent.new') },
  )}</div>
${harmful.length > 0 && scopeList(page, harmful, { id: 'kept', open: true, tag })}
${harmless.length > 0 && html`<details class="before"><summary>${t('group.count', { group: since, count: harmless.length })}</summary>${scopeList(page, harmless, { id: 'before', open: true })}</details>`}`;
}

function isHarmless(scope: ScopeView): boolean {
  const group = scopeGroup(scope);
  return group === 'identity' || group === 'see';
}

function notOffered({ t }: Words, scopes: readonly ScopeView[], several: boolean): Markup | undefined {
  if (scopes.length === 0) return undefined;
  return html`<div class="ignored"><h3>${t(several ? 'consent.notOfferedByAny' : 'consent.notOffered')}</h3><ul>${scopes.map((scope) => html`<li><code>${visibleText(scope.name)}</code></li>`)}</ul></div>`;
}

/** Stands beside the buttons, where it is read (CON-02); a client with nothing but loopback addresses gets one sentence more (CIMD-15). */
function programWarning({ t }: Words, values: ConsentPageValues, labels: Labels): Markup {
  return html`<div class="care strong" id="program">${icons.warning}<div><p><strong>${t('consent.anyProgram')}</strong> ${t(labels.onlyIfYou)}</p>
${values.client.everyRedirectLoopback && html`<p>${t('client.onlyLoopback')}</p>`}</div></div>`;
}

/** Deny is first in the tree, so that Enter, which presses the first submit button, can never approve. */
function buttons({ t }: Words, labels: Labels, target: RedirectTarget): Markup {
  const describedBy = target.anyProgram ? 'could care program' : 'could care';
  return html`<div class="decide">
<button type="submit" name="decision" value="deny" class="button even" data-busy>${t(labels.deny)}</button>
<button type="submit" name="decision" value="allow" class="button even" data-busy data-guard aria-describedby="${describedBy}">${t(labels.allow)}</button>
</div>`;
}

function technicalRows(page: PageFrame, { technical }: ConsentPageValues): [string, string][] {
  return [
    ['client_id', technical.clientId],
    ['redirect_uri', technical.redirectUri],
    ['scope', technical.scope],
    ['resource', technical.resource],
    ['code_challenge_method', technical.codeChallengeMethod],
    ['response_mode', technical.responseMode],
    ...(technical.prompt === undefined ? [] : [['prompt', technical.prompt] satisfies [string, string]]),
    ['request_id', page.requestId],
  ];
}

/** Renders wire names and values, folded away; an empty value is said to be none. */
export function developerDetails({ t }: Words, rows: readonly [string, string][]): Markup {
  return html`<details class="developers"><summary>${t('consent.developers')}</summary><dl class="technical">${rows.map(
    ([name, value]) => html`<div><dt><code>${name}</code></dt><dd>${value === '' ? t('consent.none') : html`<code>${visibleText(value)}</code>`}</dd></div>`,
  )}</dl></details>`;
}
