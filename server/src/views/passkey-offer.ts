/**
 * Owns: the line that offers a passkey to somebody who has let an agent in, with its "not now", after which it never comes again.
 */
import { html } from 'hono/html';
import type { Markup, PageFrame } from './layout.ts';

/** Renders the line; its form posts `csrf` to `{base}/account/security/passkeys/later`. */
export function passkeyOffer({ base, t }: PageFrame, { csrf }: { csrf: string }): Markup {
  return html`<div class="offer"><p><strong>${t('passkeys.offer')}</strong> ${t('passkeys.offerText')}</p>
<div class="choices"><a class="button quiet" href="${base}/account/security#passkeys">${t('passkeys.add')}</a>
<form method="post" action="${base}/account/security/passkeys/later"><input type="hidden" name="csrf" value="${csrf}">
<button type="submit" class="button quiet" data-busy>${t('passkeys.later')}</button></form></div></div>`;
}
