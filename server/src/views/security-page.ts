/**
 * Owns: the page of everything by which a person gets in: its frame, the word of what was just done, and the sections, which are files of their own (security/).
 */
import { html } from 'hono/html';
import { accountAside, accountMenu } from './account-frame.ts';
import { icons } from './icons.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';

/** A part of the page; `id` names it in the address. */
export type SecuritySection = { id: string; title: string; body: Markup };

/** What was done, or why it was not. */
export const securityNotices = {
  'passkey-added': 'done',
  'passkey-renamed': 'done',
  'passkey-removed': 'done',
  'passkey-refused': 'problem',
  'passkey-taken': 'problem',
  'passkey-full': 'problem',
  'passkey-last': 'problem',
  'passkey-gone': 'problem',
  'password-changed': 'done',
  'password-removed': 'done',
  'password-last': 'problem',
  'two-step-off': 'done',
  'upstream-linked': 'done',
  'upstream-unlinked': 'done',
  'upstream-last': 'problem',
  'upstream-gone': 'problem',
  'session-ended': 'done',
  'session-gone': 'done',
} as const;
export type SecurityNotice = keyof typeof securityNotices;

export type SecurityPageValues = {
  user: { name: string; email?: string };
  /** Whether the sign-in is recent enough to change things. */
  recent: boolean;
  notice?: SecurityNotice;
  sections: readonly SecuritySection[];
};

/** Renders the sections in their order. */
export function securityPage(page: PageFrame, values: SecurityPageValues): string {
  const { t } = page;
  const main = html`${values.notice && noticeBox(page, values.notice)}
<h1>${t('security.title')}</h1>
${!values.recent && html`<p class="note">${t('security.confirm')} <a href="${page.base}/login?reason=confirm&amp;to=security">${t('signIn.confirmTitle')}</a></p>`}
${values.sections.map(({ id, title, body }) => html`<section class="part" id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>\n${body}</section>`)}`;

  return renderPage(page, {
    title: t('security.title'),
    why: 'why.account',
    width: 'wide',
    aside: accountAside(page, values.user),
    nav: accountMenu(page, 'security'),
    main,
  });
}

function noticeBox({ t }: PageFrame, notice: SecurityNotice): Markup {
  const text = t(`security.notice.${notice}`);
  if (securityNotices[notice] === 'done') return html`<div class="done" role="status">${icons.done}<p>${text}</p></div>`;
  return html`<div class="problems" role="alert"><p>${text}</p></div>`;
}
