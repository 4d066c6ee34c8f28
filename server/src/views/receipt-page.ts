/**
 * Owns: a receipt as a page of its own: word for word what a person saw when they allowed something. A receipt brings all its words, its labels too, and this template and
 * its stylesheet are never changed: a new shape gets a new version, so that a receipt reads the same, byte for byte, whatever the pages have become (ACC-03).
 */
import { html } from 'hono/html';
import type { PageFrame } from './layout.ts';
import { dateText, machineTime } from './moments.ts';
import type { Markup } from './words.ts';

/** The words around what was shown, in the language it was shown in. */
export type ReceiptLabels = { service: string; title: string; when: string; how: string; ticked: string; unticked: string; back: string; json: string };
/** One line of what was shown; `chosen` is of boxes. */
export type ReceiptWords = { kind: string; text: string; name?: string; value?: string; chosen?: boolean };
/** Version 2 of a receipt, as far as a page shows it. */
export type Receipt = { language: string; dir?: 'ltr' | 'rtl'; at: number; labels: ReceiptLabels; words: readonly ReceiptWords[] };
/** What version 1 knew: no words of the page, only of the permissions. */
export type ReceiptV1 = {
  at: number;
  asked: boolean;
  asserted_by?: string;
  client?: { name?: string; proof?: string };
  server?: { name?: string };
  scopes?: readonly { name: string; text?: string; granted: boolean }[];
};

export function receiptLabels(page: PageFrame, { at, asked, assertedBy }: { at: number; asked: boolean; assertedBy?: string }): ReceiptLabels {
  const { t } = page;
  const how = assertedBy === undefined ? t(asked ? 'receipt.asked' : 'receipt.unasked') : t('receipt.asserted', { issuer: assertedBy });
  return {
    service: page.serviceName,
    title: t('receipt.title'),
    when: t('receipt.when', { date: dateText(at, page), time: machineTime(at).slice(11, 19) }),
    how,
    ticked: t('receipt.ticked'),
    unticked: t('receipt.unticked'),
    back: t('agents.title'),
    json: t('receipt.json'),
  };
}

/** A receipt of version 1 in the shape of version 2, with today's labels: its own were not kept. */
export function fromV1(page: PageFrame, { at, asked, asserted_by: assertedBy, client, server, scopes = [] }: ReceiptV1): Receipt {
  const who = [client?.name, client?.proof, server?.name].filter((text) => text !== undefined);
  const words = scopes.map(({ name, text, granted }) => ({
    kind: 'choice',
    text: `${text ?? ''} ${name}`.trim(),
    name: 'scope',
    value: name,
    chosen: granted,
  }));
  return {
    language: page.language,
    dir: page.dir,
    at,
    labels: receiptLabels(page, { at, asked, assertedBy }),
    words: [...who.map((text) => ({ kind: 'p', text })), ...words],
  };
}

/** Renders version 2; links lead back to the agents and to the same as JSON. */
export function receiptPage(receipt: Receipt, { base, grantId }: { base: string; grantId: string }): string {
  const { labels, words, language, dir = 'ltr', at } = receipt;
  return html`<!doctype html>
<html lang="${language}" dir="${dir}">
<head>
<meta charset="utf-8">
<title>${labels.title} · ${labels.service}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<link rel="stylesheet" href="${base}/assets/receipt-2.css">
</head>
<body>
<main>
<p class="service"><bdi>${labels.service}</bdi></p>
<h1>${labels.title}</h1>
<p><time datetime="${machineTime(at)}">${labels.when}</time></p>
<p>${labels.how}</p>
<section class="shown">
${words.map((each) => html`${line(each, labels)}\n`)}</section>
<p class="id"><code>${grantId}</code></p>
<p class="links"><a href="${base}/account/agents">${labels.back}</a> <a href="${base}/account/agents/${grantId}/receipt.json" download>${labels.json}</a></p>
</main>
</body>
</html>
`.toString();
}

function line({ kind, text, chosen }: ReceiptWords, labels: ReceiptLabels): Markup {
  if (kind === 'h1' || kind === 'h2' || kind === 'legend') return html`<h2>${text}</h2>`;
  if (kind === 'h3' || kind === 'dt' || kind === 'summary') return html`<h3>${text}</h3>`;
  if (kind === 'button') return html`<p class="button">${text}</p>`;
  if (kind !== 'choice' || chosen === undefined) return html`<p>${text}</p>`;
  return html`<p class="choice ${chosen ? 'ticked' : 'unticked'}">${text} <span>${chosen ? labels.ticked : labels.unticked}</span></p>`;
}

/** Belongs to version 2 and is never changed. */
export const receiptStylesheet = `:root { color-scheme: light dark; --ground: #fff; --ink: #1a1d21; --muted: #575d66; --line: #b9bcc2; --accent: #0d5c57; }
@media (prefers-color-scheme: dark) { :root { --ground: #191c1f; --ink: #eceef0; --muted: #a8aeb6; --line: #565d66; --accent: #7fd6cb; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 100%/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 41rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.375rem; margin: 0.25rem 0 0.5rem; }
h2 { font-size: 1.0625rem; margin: 1.25rem 0 0.25rem; }
h3 { font-size: 0.9375rem; margin: 1rem 0 0.25rem; }
p { margin: 0.25rem 0; }
.service, .id, .button, .choice span { color: var(--muted); }
.shown { margin: 1.25rem 0; padding: 0.25rem 1.25rem 1.25rem; border: 1px solid var(--line); border-radius: 12px; }
.choice { padding-inline-start: 1rem; border-inline-start: 3px solid var(--accent); }
.unticked { border-inline-start-style: dotted; }
.choice span { font-size: 0.875rem; }
.button { display: inline-block; margin-inline-end: 0.75rem; padding: 0.25rem 0.75rem; border: 1px solid var(--line); border-radius: 8px; font-size: 0.875rem; }
code { font: 0.8125rem/1.5 ui-monospace, monospace; }
a { display: inline-block; margin-inline-end: 1rem; padding-block: 0.625rem; color: var(--accent); }
a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
@media print { .links { display: none; } .shown { border-color: #000; } }
`;
