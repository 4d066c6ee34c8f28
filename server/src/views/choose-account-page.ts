/**
 * Owns: the page on which a person says which of the accounts that are signed in in this browser goes on. Each account is a button of one form; a picture is two letters,
 * because no page of ours asks another site for one.
 */
import { html } from 'hono/html';
import { type ClientView, clientIdentity } from './client-identity.ts';
import { nameInSentence } from './client-line.ts';
import { displayText } from './display-text.ts';
import { hiddenFields } from './hidden-fields.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { agoText, machineTime } from './moments.ts';

/** `seenAt` is epoch seconds. */
export type AccountView = { id: string; name: string; email?: string; seenAt: number };
export type ChooseAccountPageValues = {
  csrf: string;
  /** What waits behind the choice, as hidden fields. */
  onward: Readonly<Record<string, string>>;
  /** The one who acts now first. */
  accounts: readonly AccountView[];
  /** What the app said who is meant: a hint, which only marks an account. */
  suggested?: string;
  client?: ClientView;
  /** Where somebody else signs in. */
  another: string;
};

/** Renders the form that posts `csrf`, what waits, and `use` or `sign_out` (an account, or `all`) to `{base}/login/accounts`. */
export function chooseAccountPage(page: PageFrame, values: ChooseAccountPageValues): string {
  const { t, rich } = page;
  const name = values.client && nameInSentence(page, clientIdentity(values.client, page));
  const main = html`<h1>${t('accounts.title')}</h1>
<p>${name ? rich('accounts.textClient', { name }) : t('accounts.text')}</p>
<form method="post" action="${page.base}/login/accounts">
${hiddenFields(values.onward)}<input type="hidden" name="csrf" value="${values.csrf}">
<ul class="accounts">${values.accounts.map((account) => row(page, account, isSuggested(account, values.suggested)))}</ul>
<a class="button quiet" href="${values.another}">${t('accounts.another')}</a>
${values.accounts.length > 1 && html`<p class="center"><button type="submit" name="sign_out" value="all" class="copy bare" data-busy>${t('accounts.signOutAll')}</button></p>`}
</form>`;

  return renderPage(page, { title: t('accounts.title'), why: 'why.accounts', main });
}

function row(page: PageFrame, { id, name, email, seenAt }: AccountView, suggested: boolean): Markup {
  const { t, rich } = page;
  const shown = html`<bdi>${displayText(name)}</bdi>`;
  const seen = html`<time datetime="${machineTime(seenAt)}">${agoText(seenAt, page)}</time>`;
  return html`<li><button type="submit" name="use" value="${id}" class="account-choice" data-busy><span class="avatar" aria-hidden="true"><bdi>${initials(name)}</bdi></span>
<span class="who"><strong>${shown}</strong>${email !== undefined && html`<span class="muted"><bdi>${displayText(email, 80)}</bdi></span>`}<span class="small muted">${rich('accounts.lastUsed', { when: seen })}</span>${suggested && html`<span class="tag">${t('accounts.suggested')}</span>`}</span></button>
<button type="submit" name="sign_out" value="${id}" class="copy bare" data-busy>${t('accounts.signOut')}<span class="hidden"> ${shown}</span></button></li>`;
}

function initials(name: string): string {
  const words = displayText(name)
    .split(' ')
    .flatMap((word) => [...word].slice(0, 1));
  const [first = '?', last] = [words[0], words.length > 1 ? words.at(-1) : undefined];
  return `${first}${last ?? ''}`.toUpperCase();
}

function isSuggested({ name, email }: AccountView, suggested: string | undefined): boolean {
  const hint = suggested?.toLowerCase();
  return hint !== undefined && (email?.toLowerCase() === hint || name.toLowerCase() === hint);
}
