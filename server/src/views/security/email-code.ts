/**
 * Owns: the line that says where codes for signing in go, and whether that is a way into the account yet.
 */
import { html } from 'hono/html';
import type { PageFrame } from '../layout.ts';
import type { SecuritySection } from '../security-page.ts';

/** `proven`: mail has reached the person there. */
export type EmailCodeSectionValues = { email: string; proven: boolean };

/** Renders the section; its link leads to `{base}/account/email`. */
export function emailCodeView({ t, rich, base }: PageFrame, { email, proven }: EmailCodeSectionValues): SecuritySection {
  const text = rich(proven ? 'emailCodes.proven' : 'emailCodes.unproven', { email: html`<bdi>${email}</bdi>` });
  const body = html`<p>${text}</p>
<p><a class="button quiet" href="${base}/account/email">${t('email.title')}</a></p>`;
  return { id: 'email-code', title: t('emailCodes.title'), body };
}
