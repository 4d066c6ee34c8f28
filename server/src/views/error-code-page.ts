/**
 * Owns: the documentation page of one error code, and the list of all. For developers who followed `error_uri`, and for people whom somebody sent there.
 */
import { html } from 'hono/html';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';

export type CodeView = {
  code: string;
  origin: 'server' | 'sdk' | 'command';
  /** HTTP status. */
  status?: number;
  /** Of the command line. */
  exit?: number;
  means: string;
  forPerson?: string;
  /** For the developer, in English. */
  fix?: string;
};

const origins = ['server', 'sdk', 'command'] as const;

/** Renders what one code means, where it comes from and what to do about it. */
export function errorCodePage(page: PageFrame, { code, origin, status, exit, means, forPerson, fix }: CodeView): string {
  const { t } = page;
  const facts: [string, string | number | undefined][] = [
    [t('codes.origin'), t(`codes.origin.${origin}`)],
    [t('codes.status'), status],
    [t('codes.exit'), exit],
  ];
  const main = html`<h1><code class="code-name">${code}</code></h1>
<p class="lead">${means}</p>
${forPerson !== undefined && html`<section class="advice"><h2>${t('problem.you')}</h2><p>${forPerson}</p></section>`}
${fix !== undefined && html`<section class="advice"><h2>${t('problem.developer')}</h2><p lang="en">${fix}</p></section>`}
<section class="support"><h2>${t('problem.details')}</h2>
<dl class="technical">${facts.flatMap(([name, value]) => (value === undefined ? [] : [html`<div><dt>${name}</dt> <dd>${value}</dd></div>\n`]))}</dl></section>
<p class="center"><a class="quiet-link" href="${page.base}/docs/errors">${t('codes.title')}</a></p>`;

  return renderPage(page, { title: code, why: 'why.codes', main });
}

/** Renders the list, grouped by who says a code. */
export function errorCodesPage(page: PageFrame, codes: readonly CodeView[]): string {
  const { t } = page;
  const main = html`<h1>${t('codes.title')}</h1>
<p class="lead">${t('codes.lead')}</p>
${origins.map((origin) =>
  group(
    page,
    origin,
    codes.filter((one) => one.origin === origin),
  ),
)}`;

  return renderPage(page, { title: t('codes.title'), why: 'why.codes', width: 'wide', main });
}

function group({ t, base }: PageFrame, origin: CodeView['origin'], codes: readonly CodeView[]): Markup {
  return html`<section class="part" aria-labelledby="codes-${origin}"><h2 id="codes-${origin}">${t(`codes.origin.${origin}`)}</h2>
<dl class="codes">${codes.map(({ code, means }) => html`<div><dt><a href="${base}/docs/errors/${code}"><code>${code}</code></a></dt> <dd>${means}</dd></div>\n`)}</dl></section>`;
}
