/**
 * Owns: the page between a decision and the client. A refresh is a new navigation, so `form-action 'self'` cannot kill it (CON-08), and the link
 * is there when the browser will not open an app's own scheme by itself (CON-09).
 */
import { html } from 'hono/html';
import type { ClientView } from './client-identity.ts';
import { clientIdentity } from './client-identity.ts';
import { nameInSentence } from './client-line.ts';
import { icons } from './icons.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { postForm } from './post-form.ts';
import { safeReturnHref } from './safe-href.ts';

/** `href` is the finished answer: the verified redirect URI with `code` or `error`, `state` and `iss`; with `fields`, these are posted to it instead. */
export type ReturnPageValues = {
  client?: ClientView;
  href: string;
  fields?: Readonly<Record<string, string>>;
  denied: boolean /** Denied by the server's list of people, not by this person. */;
  notListed?: true;
  /** The server that is not for this person, where they may ask for access. */
  serverId?: string;
};

/** Renders the way back. An address that no browser should open gets neither refresh nor link. */
export function returnPage(page: PageFrame, values: ReturnPageValues): string {
  const { t, rich } = page;
  const href = safeReturnHref(values.href);
  const name = values.client ? nameInSentence(page, clientIdentity(values.client, page)) : t('return.theApp');
  const title = values.notListed ? 'return.notListedTitle' : values.denied ? 'return.deniedTitle' : 'return.title';
  const main = html`<div class="outcome">${values.denied ? icons.closed : icons.done}
<h1>${values.denied ? t(title) : rich('return.heading', { name })}</h1>
<p>${values.notListed ? t('return.notListed') : values.denied ? t('return.denied') : t('return.nothing')}</p>
${values.denied && href !== undefined && html`<p class="muted">${rich(values.notListed ? 'return.tellAppRefused' : 'return.tellApp', { name })}</p>`}</div>
${values.serverId !== undefined && html`<p><a class="button main" href="${page.base}/account/ask?server=${encodeURIComponent(values.serverId)}">${t('problem.goTo.ask')}</a></p>`}
${href === undefined ? !values.denied && html`<p class="note">${t('return.unsafe')}</p>` : onward({ ...values, href }, rich('return.continue', { name }))}
${!values.denied && html`<p class="late muted">${t('return.still')}</p>`}`;

  return renderPage(page, {
    title: t(title),
    why: 'why.return',
    // Whoever is refused by a rule has something to read first.
    refreshTo: values.fields === undefined && !values.notListed ? href : undefined,
    main,
  });
}

/** The link, or the form that the script sends by itself and that has a button without it. */
function onward({ href, fields, denied, notListed }: ReturnPageValues, label: Markup): Markup {
  const look = `button ${denied ? 'quiet' : 'main'}`;
  if (fields === undefined) return html`<p><a class="${look}" href="${href}" rel="noreferrer"><span>${label}</span></a></p>`;
  return postForm(href, fields, html`<button type="submit" class="${look}" data-busy><span>${label}</span></button>`, {
    auto: !notListed,
  });
}
