/**
 * Owns: the second step of a person's sign-in on their security page: whether it is on, how many recovery codes are left, and the ways to change both.
 */
import { html } from 'hono/html';
import type { Markup, PageFrame } from '../layout.ts';
import { dateText, machineTime } from '../moments.ts';
import type { SecuritySection } from '../security-page.ts';

export type TwoStepSectionValues = {
  csrf: { codes: string; remove: string };
  /** Whether the sign-in is recent enough to change anything. */
  recent: boolean;
  /** Absent while there is no second step. */
  factor?: { createdAt: number; recoveryCodesLeft: number };
};

/** Renders the section; its forms post to `{base}/account/security/two-step/…`. */
export function twoStepView(page: PageFrame, { csrf, recent, factor }: TwoStepSectionValues): SecuritySection {
  const { t, base } = page;
  const off = html`<p>${t('twoStep.off')}</p>
${recent && html`<p><a class="button quiet" href="${base}/account/security/two-step">${t('twoStep.setUp')}</a></p>`}`;
  return { id: 'two-step', title: t('twoStep.title'), body: factor ? isOn(page, { csrf, recent, factor }) : off };
}

function isOn(page: PageFrame, { csrf, recent, factor }: Required<TwoStepSectionValues>): Markup {
  const { t, rich } = page;
  const since = html`<time datetime="${machineTime(factor.createdAt)}">${dateText(factor.createdAt, page)}</time>`;
  return html`<p>${rich('twoStep.on', { since })} ${t('twoStep.left', { count: factor.recoveryCodesLeft })}</p>
${recent && html`<div class="choices">${button(page, 'codes', csrf.codes)}${button(page, 'remove', csrf.remove)}</div>`}`;
}

function button({ t, base }: PageFrame, act: 'codes' | 'remove', csrf: string): Markup {
  return html`<form method="post" action="${base}/account/security/two-step/${act}"><input type="hidden" name="csrf" value="${csrf}">
<button type="submit" class="button quiet" data-busy>${t(`twoStep.${act}`)}</button></form>`;
}
