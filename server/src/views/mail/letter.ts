/**
 * Owns: what every mail has: a text and an HTML part from one list of blocks, and the line at its end. Not owned: what a mail says (a file per kind), headers.
 * Whatever strangers chose comes in through `displayText`, so no name can bring a line break, a hidden letter or markup along.
 */
import { html } from 'hono/html';
import { displayText } from '../display-text.ts';
import type { Words } from '../words.ts';

export type MailFrame = Words & {
  serviceName: string;
  /** Where links begin. */
  issuer: string;
  contact?: string;
  /** Nobody signs in with a password here. */
  passwordless?: boolean;
  /** What commands must name beside themselves; absent at the root. */
  tenant?: string;
};

export type Block =
  | { text: string }
  /** A list of short lines. */
  | { list: readonly string[] }
  /** What is known about the moment: label and value. */
  | { facts: readonly (readonly [label: string, value: string])[] }
  /** A code to read off. */
  | { code: string }
  /** A path of this server, with what happens there. */
  | { link: string; path: string };
export type Letter = { subject: string; blocks: readonly Block[] };

/** Mail programs make links of whatever looks like an address; what a stranger chose must not become one. */
export function plainName(text: string, most?: number): string {
  return displayText(displayText(text, most).replace(/[/\\:@]+/g, ' '), most).replace(/\.(?=\S)/g, '\u2024');
}

/** A command as an operator runs it: in a tenant it does nothing without that. */
export function commandText(command: string, { tenant }: MailFrame): string {
  return `auth-agent ${command}${tenant === undefined ? '' : ` --tenant ${tenant}`}`;
}

/** A moment to the minute, in UTC, since we do not know the reader's clock. */
export function momentText(seconds: number, { t, language }: MailFrame): string {
  const time = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', hourCycle: 'h23', timeZone: 'UTC' }).format(seconds * 1000);
  return t('mail.fact.utc', { time });
}

/** Writes both parts of a letter. */
export function writeLetter(mail: MailFrame, { subject, blocks }: Letter): { subject: string; text: string; html: string } {
  const foot = footOf(mail);
  return {
    // Whatever it was made of, a subject is one line.
    subject: subject.replace(/\s+/gu, ' ').trim(),
    text: `${[...blocks.map((block) => textOf(block, mail)), `-- \n${foot.join('\n')}`].join('\n\n')}\n`,
    html: htmlOf(mail, { subject, blocks }, foot),
  };
}

function footOf({ t, serviceName, issuer, contact }: MailFrame): string[] {
  const sent = t('mail.foot', { service: serviceName, host: new URL(issuer).host });
  return contact === undefined ? [sent] : [sent, t('layout.contact', { contact })];
}

function textOf(block: Block, mail: MailFrame): string {
  if ('text' in block) return block.text;
  if ('list' in block) return block.list.map((line) => `- ${line}`).join('\n');
  if ('facts' in block) return block.facts.map(([label, value]) => `${label}: ${value}`).join('\n');
  if ('code' in block) return `    ${block.code}`;
  return `${block.link}:\n${addressOf(block.path, mail)}`;
}

const styles = {
  body: 'margin:0;padding:24px;font:16px/1.5 system-ui,-apple-system,Segoe UI,Roboto,sans-serif;color:#1b1b1f;background:#ffffff',
  page: 'max-width:560px;margin:0 auto',
  code: 'font:600 28px/1.4 ui-monospace,Menlo,Consolas,monospace;letter-spacing:2px',
  link: 'display:inline-block;padding:10px 16px;border-radius:6px;background:#1d4ed8;color:#ffffff;text-decoration:none',
  foot: 'margin-top:32px;padding-top:12px;border-top:1px solid #d4d4d8;font-size:14px;color:#52525b',
};

function htmlOf(mail: MailFrame, { subject, blocks }: Letter, foot: readonly string[]): string {
  return html`<!doctype html>
<html lang="${mail.language}" dir="${mail.dir}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light"><title>${subject}</title></head>
<body style="${styles.body}"><div style="${styles.page}">
${blocks.map((block) => markupOf(block, mail))}
<p style="${styles.foot}">${foot.map((line, index) => (index === 0 ? line : html`<br>${line}`))}</p>
</div></body>
</html>
`.toString();
}

function markupOf(block: Block, mail: MailFrame) {
  if ('text' in block) return html`<p>${block.text}</p>`;
  if ('list' in block) return html`<ul>${block.list.map((line) => html`<li>${line}</li>`)}</ul>`;
  if ('facts' in block) return html`<p>${block.facts.map(([label, value]) => html`${label}: <strong>${value}</strong><br>`)}</p>`;
  if ('code' in block) return html`<p style="${styles.code}">${block.code}</p>`;
  return html`<p><a style="${styles.link}" href="${addressOf(block.path, mail)}">${block.link}</a></p>`;
}

/** Links lead to this server and nowhere else, whatever a path is made of. */
function addressOf(path: string, { issuer }: MailFrame): string {
  const address = issuer + path;
  if (!path.startsWith('/') || !URL.canParse(address) || new URL(address).origin !== new URL(issuer).origin)
    throw new TypeError('a link of a mail leaves the server');
  return address;
}
