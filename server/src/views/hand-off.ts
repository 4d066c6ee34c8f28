/**
 * Owns: what a person sees who carries a code to an agent on another computer: the offer on the consent page, and the page that shows the code. The strongest words of
 * the house stand here, because whoever talks a person into this gets their access.
 */
import { html } from 'hono/html';
import { copyButton } from './copy-button.ts';
import { icons } from './icons.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { waitText } from './moments.ts';

/** `fresh`: the person has signed in for this request. `device`: the client can show a code of its own, which is the safer way. */
export type HandOffOffer = { fresh: boolean; device: boolean };

/** Renders the offer, folded away: a box of the form around it once the person has signed in for this, before that the way to do so. */
export function handOffOffer(page: PageFrame, tx: string, { fresh, device }: HandOffOffer): Markup {
  const { t, rich } = page;
  const address = html`<code>${page.host}${page.base}/device</code>`;
  const box = html`<label class="check"><input type="checkbox" name="hand_off" value="1"><span>${t('handOff.box')}</span></label>
<p class="care strong">${icons.warning}<span>${t('handOff.never')}</span></p>`;
  const first = html`<p><a class="quiet-link" href="${page.base}/login?tx=${encodeURIComponent(tx)}&reason=confirm">${t('handOff.confirmFirst')}</a></p>`;
  return html`<details class="hand-off"${fresh && html` open`}><summary>${t('handOff.title')}</summary>
${device && html`<p>${rich('handOff.device', { address })}</p>`}
<p>${t('handOff.text')}</p>
${fresh ? box : first}
</details>`;
}

/** `href` is the finished answer. `secondsLeft` until the code is over. `csrf` is absent when it was made longer already. */
export type HandOffPageValues = { tx: string; href: string; secondsLeft: number; csrf?: string };

/** Renders the command to run on the other computer; the form posts `tx` and `csrf` to `{base}/authorize/return` for one more minute. */
export function handOffPage(page: PageFrame, { tx, href, secondsLeft, csrf }: HandOffPageValues): string {
  const { t } = page;
  const main = html`<h1>${t('handOff.heading')}</h1>
<p>${t('handOff.within', { time: waitText(secondsLeft, page) })}</p>
<div class="secret"><pre><code id="command">${curlCommand(href)}</code></pre>${copyButton(page, 'command')}</div>
<p class="care strong">${icons.warning}<span>${t('handOff.never')}</span></p>
${
  csrf === undefined
    ? html`<p class="muted">${t('handOff.extended')}</p>`
    : html`<form method="post" action="${page.base}/authorize/return"><input type="hidden" name="tx" value="${tx}"><input type="hidden" name="csrf" value="${csrf}">
<button type="submit" class="button quiet" data-busy>${t('handOff.extend')}</button></form>`
}`;

  return renderPage(page, { title: t('handOff.heading'), why: 'why.return', main });
}

/** One word for the shell whatever is in the address; `--globoff`, because brackets of an IPv6 address are no pattern. */
function curlCommand(href: string): string {
  return `curl --globoff '${href.replaceAll("'", `'\\''`)}'`;
}
