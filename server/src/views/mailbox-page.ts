/**
 * Owns: the mail that development mode kept instead of sending it, as a page. Links of this server can be followed, others are text.
 */
import { html } from 'hono/html';
import { type Markup, type PageFrame, renderPage } from './layout.ts';
import { machineTime, secondsAgoText } from './moments.ts';

/** `at` in epoch seconds. */
export type CaughtMail = { at: number; to: string; subject: string; text: string };
/** Newest first; `issuer` is where links of ours begin. */
export type MailboxPageValues = { mails: readonly CaughtMail[]; issuer: string };

/** Renders the page. */
export function mailboxPage(page: PageFrame, { mails, issuer }: MailboxPageValues): string {
  const { t } = page;
  return renderPage(page, {
    title: t('mailbox.title'),
    why: 'mailbox.why',
    width: 'wide',
    main: html`<h1>${t('mailbox.title')}</h1>
<p class="lead">${mails.length === 0 ? t('mailbox.empty') : t('mailbox.lead')}</p>
${mails.length > 0 && html`<ul class="agents">${mails.map((mail) => mailItem(mail, issuer, page))}</ul>`}`,
  });
}

function mailItem({ at, to, subject, text }: CaughtMail, issuer: string, page: PageFrame): Markup {
  return html`<li class="agent"><h2><bdi>${subject}</bdi></h2>
<p class="small">${page.rich('mailbox.to', { to: html`<bdi>${to}</bdi>` })} · <time datetime="${machineTime(at)}">${secondsAgoText(at, page)}</time></p>
<p class="mail">${linked(text, issuer)}</p></li>`;
}

/** Splitting on a pattern with one group leaves text at even places and addresses at odd ones. */
function linked(text: string, issuer: string): (string | Markup)[] {
  return text
    .split(/(https?:\/\/[^\s<>"]+)/)
    .map((piece, index) => (index % 2 === 1 && piece.startsWith(`${issuer}/`) ? html`<a href="${piece}">${piece}</a>` : piece));
}
