/**
 * Owns: the page that carries an answer in a form body (OAuth 2.0 Form Post Response Mode, AZ-26). With script it sends itself; without, there is a button.
 * Not owned: the content policy, which for this page alone must allow `form-action` to the redirect origin.
 */
import { html } from 'hono/html';
import type { ClientView } from './client-identity.ts';
import { clientIdentity } from './client-identity.ts';
import { nameInSentence } from './client-line.ts';
import { icons } from './icons.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { rich, t } from './messages.ts';
import { safeReturnHref } from './safe-href.ts';

/** `action` is the verified redirect URI, https or http on loopback; `fields` are the parameters of the answer, in order. */
export type FormPostPageValues = { client?: ClientView; action: string; fields: readonly (readonly [name: string, value: string])[] };

/** Renders the form. Throws `TypeError` for an action that is not a web address: the mode is not for private-use schemes. */
export function formPostPage(page: PageFrame, values: FormPostPageValues): string {
  const action = safeReturnHref(values.action);
  if (action === undefined || !/^https?:/i.test(action)) throw new TypeError('form_post needs an https or loopback redirect URI');
  const name = values.client ? nameInSentence(clientIdentity(values.client, page)) : t('return.theApp');
  const main = html`<div class="outcome">${icons.done}<h1>${rich('formPost.heading', { name })}</h1><p>${t('return.nothing')}</p></div>
<form method="post" action="${action}" data-auto-submit>
${values.fields.map(([field, value]) => html`<input type="hidden" name="${field}" value="${value}">`)}
<button type="submit" class="button main"><span>${rich('formPost.submit', { name })}</span></button>
</form>`;

  return renderPage(page, { title: t('return.title'), why: 'why.return', main });
}
