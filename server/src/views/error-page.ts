/**
 * Owns: the error page, and as its variant the interstitial of AZ-31 that names where an error would be sent before anyone is sent there.
 * Everything in it may quote a hostile request; the template escapes it. The same content goes to machines as JSON, not from here.
 */
import { html } from 'hono/html';
import { copyButton } from './copy-button.ts';
import { type DifferenceValues, differenceList } from './difference.ts';
import { visibleText } from './display-text.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { postForm } from './post-form.ts';
import { safeReturnHref } from './safe-href.ts';
import type { MessageKey, Words } from './words.ts';

const places = {
  device: 'problem.goTo.device',
  agents: 'problem.goTo.agents',
  ask: 'problem.goTo.ask',
  signIn: 'upstream.backToSignIn',
  profile: 'profile.title',
} as const satisfies Readonly<Record<string, MessageKey>>;

export type ErrorPageValues = {
  /** A registered error code. */
  code: string;
  title: string;
  /** What happened, where the title and the advice do not say it. */
  text?: string;
  forUser: string | Markup;
  forDeveloper?: string;
  /** Ways out, for example one per kind of client; `text` is shown as a command when it looks like one line of it. */
  fixes?: readonly { label: string; text: string }[];
  /** Two addresses that are not one, laid over each other. */
  difference?: DifferenceValues;
  details?: readonly (readonly [name: string, value: string])[];
  requestId: string;
  /** The explicit way on to an untrusted client; `host` is what the person must be able to recognise. */
  continueTo?: { href: string; host: string; fields?: Readonly<Record<string, string>> };
  /** A page of ours, by a path of ours. */
  goTo?: { href: string; place: keyof typeof places };
};

/** Renders what happened, what you can do, what the developer can do, code and request id. */
export function errorPage(page: PageFrame, values: ErrorPageValues): string {
  const { t } = page;
  const main = html`<h1>${values.title === values.code ? html`<bdi>${values.code}</bdi>` : values.title}</h1>
${values.text !== undefined && html`<p class="lead">${visibleText(values.text)}</p>`}
<section class="advice"><h2>${t('problem.you')}</h2><p>${values.forUser}</p>${fixList(values)}
${values.goTo && html`<p><a class="button quiet" href="${values.goTo.href}">${t(places[values.goTo.place])}</a></p>`}</section>
${onward(page, values)}
${values.forDeveloper !== undefined && html`<section class="advice"><h2>${t('problem.developer')}</h2><p lang="en" dir="ltr">${visibleText(values.forDeveloper)}</p>${values.difference && differenceList(page, values.difference)}</section>`}
${technical(page, values)}`;

  return renderPage(page, { title: values.title, why: 'why.error', main });
}

function fixList(values: ErrorPageValues): Markup | undefined {
  if (!values.fixes?.length) return undefined;
  return html`<dl class="fixes">${values.fixes.map(({ label, text }) => html`<div><dt><bdi>${visibleText(label)}</bdi></dt><dd><bdi>${visibleText(text)}</bdi></dd></div>`)}</dl>`;
}

function onward({ t, rich }: Words, values: ErrorPageValues): Markup | undefined {
  const href = values.continueTo && safeReturnHref(values.continueTo.href);
  if (values.continueTo === undefined || href === undefined) return undefined;
  const host = html`<strong class="place"><bdi>${visibleText(values.continueTo.host)}</bdi></strong>`;
  return html`<section class="onward"><p>${t('problem.continueLead')}</p><p>${rich('problem.continueCare', { host })}</p>
${onwardTo(href, values.continueTo.fields, rich('problem.continue', { host: html`<bdi>${visibleText(values.continueTo.host)}</bdi>` }))}</section>`;
}

function onwardTo(href: string, fields: Readonly<Record<string, string>> | undefined, label: Markup): Markup {
  if (fields === undefined) return html`<p><a class="button quiet" href="${href}" rel="noreferrer"><span>${label}</span></a></p>`;
  return postForm(href, fields, html`<button type="submit" class="button quiet"><span>${label}</span></button>`, { auto: false });
}

/** One block that can be copied whole into a message to the operator. */
function technical(page: PageFrame, values: ErrorPageValues): Markup {
  const { t } = page;
  const rows: (readonly [string, string])[] = [[t('problem.code'), values.code], [t('problem.requestId'), values.requestId], ...(values.details ?? [])];
  return html`<section class="support"><h2>${t('problem.details')}</h2>
<dl class="technical" id="support">${rows.map(([name, value]) => html`<div><dt><bdi>${visibleText(name)}</bdi></dt> <dd><code>${visibleText(value)}</code></dd></div>\n`)}</dl>
<p class="more"><a class="quiet-link" href="${page.base}/docs/errors/${values.code}">${t('problem.more')}</a></p>
${copyButton(page, 'support', 'problem.copySupport')}</section>`;
}
