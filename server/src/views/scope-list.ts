/**
 * Owns: permissions grouped by risk, in words, with the raw name beside them. Nothing is left out: unknown scopes are listed like any other.
 * Change, delete and administer never collapse; who-you-are and see do once a request is long and they hold no choice.
 */
import { html } from 'hono/html';
import type { ScopeGroup, ScopeView } from './describe-scope.ts';
import { describeScope, SCOPE_GROUPS, scopeGroup } from './describe-scope.ts';
import { visibleText } from './display-text.ts';
import { icons } from './icons.ts';
import type { Markup } from './layout.ts';
import type { Words } from './words.ts';

/** More permissions than this do not fit one phone screen above the buttons. */
const FITS_ONE_SCREEN = 3;
const MAY_COLLAPSE: ReadonlySet<ScopeGroup> = new Set(['identity', 'see']);

export type ScopeListOptions = {
  /** Distinguishes the ids of two lists on one page. */
  id: string;
  /** Optional scopes become unticked checkboxes named `scope`; without it they are plain lines, as everything else. */
  choices?: boolean;
  /** Never collapse, because these are what the person must read. */
  open?: boolean;
  tag?: string;
  /** Under the heading of a server, one level deeper. */
  below?: boolean;
};

type Group = { group: ScopeGroup; members: readonly ScopeView[] };

/** Renders the groups that have members, least risky first. */
export function scopeList(page: Words, scopes: readonly ScopeView[], options: ScopeListOptions): Markup {
  const many = scopes.length > FITS_ONE_SCREEN && !options.open;
  const grouped = Map.groupBy(scopes, scopeGroup);
  return html`<div class="groups">${SCOPE_GROUPS.map((group) => {
    const members = grouped.get(group) ?? [];
    if (members.length === 0) return '';
    const hidesNoChoice = !options.choices || members.every((scope) => !scope.optional);
    return many && hidesNoChoice && members.length > 1 && MAY_COLLAPSE.has(group)
      ? collapsedGroup(page, { group, members }, options)
      : openGroup(page, { group, members }, options);
  })}</div>`;
}

function openGroup(page: Words, { group, members }: Group, options: ScopeListOptions): Markup {
  const { t } = page;
  const id = `${options.id}-${group}`;
  const title = html`${icons[group]}<span>${t(`group.${group}`)}</span>`;
  const heading = options.below ? html`<h4 id="${id}">${title}</h4>` : html`<h3 id="${id}">${title}</h3>`;
  return html`<div class="group risk-${group}" role="group" aria-labelledby="${id}">${heading}${items(page, { members, id }, options)}</div>`;
}

function collapsedGroup(page: Words, { group, members }: Group, options: ScopeListOptions): Markup {
  const { t } = page;
  const id = `${options.id}-${group}`;
  const title = t('group.count', { group: t(`group.${group}`), count: members.length });
  return html`<details class="group risk-${group}"><summary id="${id}">${icons[group]}<span>${title}</span></summary>${items(page, { members, id }, options)}</details>`;
}

function items(page: Words, { members, id }: { members: readonly ScopeView[]; id: string }, options: ScopeListOptions): Markup {
  return html`<ul>${members.map((scope) => html`<li>${scope.optional && options.choices ? choice(page, scope, id) : line(page, scope, options)}</li>`)}</ul>`;
}

function line(page: Words, scope: ScopeView, options: ScopeListOptions): Markup {
  return html`<div class="scope"><span>${scopeText(page, scope)}${options.tag && html` <span class="tag">${options.tag}</span>`}</span> <code>${visibleText(scope.name)}</code></div>`;
}

function choice(page: Words, scope: ScopeView, headingId: string): Markup {
  return html`<label class="scope choice"><input type="checkbox" name="scope" value="${scope.box ?? scope.name}" aria-describedby="${headingId}"><span>${scopeText(page, scope)} <span class="tag">${page.t('consent.optional')}</span></span> <code>${visibleText(scope.name)}</code></label>`;
}

/** What a scope allows. The owner's words are of a language that we do not know. */
export function scopeText(page: Words, scope: ScopeView): Markup {
  const { text, described } = describeScope(scope, page);
  return described ? html`<bdi>${text}</bdi>` : html`${text}`;
}
