/**
 * Owns: the password on a person's security page: whether there is one, and the ways to change, set or remove it.
 */
import { html } from 'hono/html';
import type { Markup, PageFrame } from '../layout.ts';
import type { SecuritySection } from '../security-page.ts';

export type PasswordSectionValues = {
  csrf: { remove: string };
  recent: boolean;
  hasPassword: boolean;
  /** Removing it would lock the person out. */
  onlyWayIn: boolean;
};

/** Renders the section: a link to `{base}/account/security/password`, and a form that posts to `…/password/remove`. */
export function passwordView(page: PageFrame, values: PasswordSectionValues): SecuritySection {
  const { t, base } = page;
  const change = html`<p><a class="button quiet" href="${base}/account/security/password">${t(values.hasPassword ? 'password.change' : 'password.set')}</a></p>`;
  const body = html`<p>${t(values.hasPassword ? 'password.has' : 'password.hasNone')}</p>
${values.recent && (values.hasPassword && !values.onlyWayIn ? html`<div class="choices">${change}${removeForm(page, values)}</div>` : change)}
${values.recent && values.hasPassword && values.onlyWayIn && html`<p class="hint">${t('security.onlyWayIn')}</p>`}`;
  return { id: 'password', title: t('signIn.password'), body };
}

function removeForm({ t, base }: PageFrame, { csrf }: PasswordSectionValues): Markup {
  return html`<form method="post" action="${base}/account/security/password/remove"><input type="hidden" name="csrf" value="${csrf.remove}">
<button type="submit" class="button quiet" data-busy>${t('password.remove')}</button></form>`;
}
