/**
 * Owns: the accounts elsewhere that open this one, and the buttons that link another. What an account there is called was told by the upstream.
 */
import { html } from 'hono/html';
import { displayText } from '../display-text.ts';
import type { Markup, PageFrame } from '../layout.ts';
import { dateText, machineTime } from '../moments.ts';
import type { SecuritySection } from '../security-page.ts';

/** `since` is in epoch seconds. */
export type UpstreamLinkView = { id: string; upstream: string; label?: string; since: number };
export type UpstreamsValues = {
  csrf: { link: string; unlink: string };
  /** Whether the sign-in is recent enough to link and unlink. */
  recent: boolean;
  upstreams: readonly { id: string; name: string }[];
  links: readonly UpstreamLinkView[];
  /** Unlinking the only one would lock the person out. */
  onlyWayIn: boolean;
};

/** Renders the section; its forms post to `{base}/account/security/upstreams/link` and `…/unlink`. */
export function upstreamsView(page: PageFrame, values: UpstreamsValues): SecuritySection {
  const { t } = page;
  const body = html`<p>${t('upstreams.text')}</p>
${values.links.length > 0 && html`<ul class="entries">${values.links.map((link) => entry(page, values, link))}</ul>`}
${values.recent && linkForm(page, values)}`;
  return { id: 'upstreams', title: t('upstreams.title'), body };
}

function entry(page: PageFrame, values: UpstreamsValues, link: UpstreamLinkView): Markup {
  const { t } = page;
  const since = html`<time datetime="${machineTime(link.since)}">${dateText(link.since, page)}</time>`;
  return html`<li class="entry"><h3><bdi>${displayText(link.upstream)}</bdi></h3>
${link.label !== undefined && html`<p class="muted"><bdi>${displayText(link.label, 80)}</bdi></p>`}
<dl class="times"><div><dt>${t('upstreams.since')}</dt><dd>${since}</dd></div></dl>
${values.recent && (values.onlyWayIn ? html`<p class="hint">${t('upstreams.onlyWayIn')}</p>` : unlinkForm(page, values, link))}</li>`;
}

function unlinkForm({ base, t }: PageFrame, { csrf }: UpstreamsValues, { id, upstream, label }: UpstreamLinkView): Markup {
  return html`<form method="post" action="${base}/account/security/upstreams/unlink"><input type="hidden" name="csrf" value="${csrf.unlink}"><input type="hidden" name="link" value="${id}">
<button type="submit" class="button quiet" data-busy>${t('upstreams.unlink')}<span class="hidden"> <bdi>${displayText(`${upstream} ${label ?? ''}`)}</bdi></span></button></form>`;
}

function linkForm({ base, rich }: PageFrame, { csrf, upstreams }: UpstreamsValues): Markup {
  return html`<form method="post" action="${base}/account/security/upstreams/link"><input type="hidden" name="csrf" value="${csrf.link}">
${upstreams.map(({ id, name }) => html`<button type="submit" class="button quiet" name="upstream" value="${id}"><span>${rich('upstreams.link', { name: html`<bdi>${displayText(name)}</bdi>` })}</span></button>\n`)}</form>`;
}
