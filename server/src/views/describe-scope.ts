/**
 * Owns: a scope's name as words and a level of risk. Pure. The owner of a server may override both; nothing overrides that a scope is shown.
 * Not owned: which scopes exist or may be granted (servers/scopes, rules/scope). RFC 6749 §3.3 gives the syntax, not the meaning.
 */
import { lookupLanguage } from '../languages.ts';
import { visibleText } from './display-text.ts';
import type { MessageKey, Words } from './words.ts';

/** Levels of risk, in the order a page shows them. */
export const SCOPE_GROUPS = ['identity', 'see', 'change', 'delete', 'admin'] as const;
export type ScopeGroup = (typeof SCOPE_GROUPS)[number];

/** A scope as a page is handed it. `offered: false` means the server does not define it, so it will not be granted. */
export type ScopeView = {
  name: string;
  description?: string;
  /** The description by language (BCP 47). */
  descriptions?: Readonly<Record<string, string>>;
  group?: ScopeGroup;
  optional?: boolean;
  isNew?: boolean;
  offered?: boolean;
  /** What its box sends; its name unless a request is about several servers. */
  box?: string;
};

export type ScopeWords = { group: ScopeGroup; text: string /** The words are the owner's, not generated. */; described: boolean };

const IDENTITY: Readonly<Record<string, MessageKey>> = {
  openid: 'scope.openid',
  profile: 'scope.profile',
  email: 'scope.email',
  phone: 'scope.phone',
  address: 'scope.address',
};

const VERBS: Readonly<Record<string, { group: ScopeGroup; key: MessageKey; bare: MessageKey }>> = {
  read: { group: 'see', key: 'scope.read', bare: 'scope.read.bare' },
  view: { group: 'see', key: 'scope.read', bare: 'scope.read.bare' },
  get: { group: 'see', key: 'scope.read', bare: 'scope.read.bare' },
  list: { group: 'see', key: 'scope.list', bare: 'scope.list.bare' },
  search: { group: 'see', key: 'scope.search', bare: 'scope.search.bare' },
  write: { group: 'change', key: 'scope.write', bare: 'scope.write.bare' },
  create: { group: 'change', key: 'scope.create', bare: 'scope.create.bare' },
  update: { group: 'change', key: 'scope.update', bare: 'scope.update.bare' },
  edit: { group: 'change', key: 'scope.update', bare: 'scope.update.bare' },
  delete: { group: 'delete', key: 'scope.delete', bare: 'scope.delete.bare' },
  remove: { group: 'delete', key: 'scope.delete', bare: 'scope.delete.bare' },
  destroy: { group: 'delete', key: 'scope.delete', bare: 'scope.delete.bare' },
  purge: { group: 'delete', key: 'scope.delete', bare: 'scope.delete.bare' },
  all: { group: 'admin', key: 'scope.all', bare: 'scope.all.bare' },
  admin: { group: 'admin', key: 'scope.all', bare: 'scope.all.bare' },
  '*': { group: 'admin', key: 'scope.all', bare: 'scope.all.bare' },
};
/** What is weighed first when both halves of a name are verbs: `admin:read` is an administrator's right. */
const HEAVIEST_FIRST: readonly ScopeGroup[] = ['admin', 'delete', 'change', 'see'];
/** Nouns that name the server and not a thing on it. */
const EMPTY_NOUNS = new Set(['mcp', 'api', 'server', 'resource', 'app']);

/**
 * Describes one scope. The owner's description, in the person's language where there is one, and group win; else words and group come from `noun:verb` or `verb:noun`; a verb we do not know counts as a change.
 * @example describeScope({ name: 'files:delete' }, wordsFor('en')) // { group: 'delete', text: 'Delete files', described: false }
 */
export function describeScope(scope: ScopeView, words: Words): ScopeWords {
  const generated = generateWords(scope.name);
  const { descriptions = {} } = scope;
  const tag = lookupLanguage([words.language], Object.keys(descriptions));
  const description = visibleText((tag === undefined ? scope.description : descriptions[tag]) ?? '');
  return {
    group: scope.group ?? generated.group,
    text: description === '' ? words.t(generated.key, generated.values) : description,
    described: description !== '',
  };
}

/** The level of risk alone. */
export function scopeGroup(scope: ScopeView): ScopeGroup {
  return scope.group ?? generateWords(scope.name).group;
}

/** Says whether a scope is a duration, not a power: `offline_access` asks for a refresh token, and "For how long" says it in words (OIDC Core §11). */
export function isDuration(scope: ScopeView): boolean {
  return scope.name === 'offline_access';
}

type Generated = { group: ScopeGroup; key: MessageKey; values?: { noun: string } };

function generateWords(name: string): Generated {
  const identity = Object.hasOwn(IDENTITY, name) ? IDENTITY[name] : undefined;
  if (identity) return { group: 'identity', key: identity };

  const words = name.toLowerCase().split(/[:./]/).filter(Boolean);
  const verbs = words.flatMap((word) => (Object.hasOwn(VERBS, word) ? [word] : word.startsWith('admin') ? ['admin'] : []));
  const verb = heaviest(verbs);
  if (verb === undefined) return { group: 'change', key: 'scope.unknown' };

  const noun = words
    .filter((word) => !isVerb(word) && !EMPTY_NOUNS.has(word))
    .map(humanise)
    .join(' ');
  const { group, key, bare } = verb;
  return noun === '' ? { group, key: bare } : { group, key, values: { noun } };
}

function heaviest(verbs: readonly string[]) {
  const known = verbs.flatMap((verb) => VERBS[verb] ?? []);
  return HEAVIEST_FIRST.flatMap((group) => known.filter((verb) => verb.group === group))[0];
}

function isVerb(word: string): boolean {
  return Object.hasOwn(VERBS, word) || word.startsWith('admin');
}

function humanise(word: string): string {
  return visibleText(word.replace(/[_-]+/g, ' '));
}
