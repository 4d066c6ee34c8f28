/**
 * Owns: the words of the errors a person can meet, told to the user and to the developer apart. Pure; the error page lays them out.
 * Not owned: which error it is, its status, and whether a client may hear of it (errors.ts, authorize/).
 */
import { visibleText } from './display-text.ts';
import type { MessageKey } from './messages.ts';
import { messages, t } from './messages.ts';

/** The situations that have words of their own; anything else is `server-error`. */
export const ERROR_SITUATIONS = [
  'unknown-client',
  'redirect-mismatch',
  'client-document',
  'request-expired',
  'already-decided',
  'denied-by-policy',
  'unknown-server',
  'invalid-request',
  'rate-limited',
  'form-token',
  'other-browser',
  'oob-refused',
  'never-redeemable',
  'nothing-shared',
  'not-found',
  'server-error',
  'not-set-up',
] as const;
export type ErrorSituation = (typeof ERROR_SITUATIONS)[number];

export type SituationWords = { title: string; text: string; forUser: string; forDeveloper?: string };

/**
 * Returns title, what happened, what you can do and what the developer can do. `developerText` (an error description) stands in for our own hint.
 * @example describeSituation('request-expired').title // 'This request is too old'
 */
export function describeSituation(situation: ErrorSituation, developerText?: string): SituationWords {
  const ours = `situation.${situation}.developer`;
  const forDeveloper = developerText ?? (isKey(ours) ? t(ours) : undefined);
  return {
    title: t(`situation.${situation}.title`),
    text: t(`situation.${situation}.text`),
    forUser: t(`situation.${situation}.user`),
    ...(forDeveloper !== undefined && { forDeveloper: visibleText(forDeveloper) }),
  };
}

function isKey(key: string): key is MessageKey {
  return Object.hasOwn(messages, key);
}

const FIXES = [
  { label: 'Claude Code', mark: /claude/i, key: 'fix.claudeCode' },
  { label: 'mcp-remote', mark: /mcp-remote|oauth\/callback/i, key: 'fix.mcpRemote' },
  { label: 'Cursor', mark: /cursor/i, key: 'fix.cursor' },
] as const;

/**
 * Returns how to make an agent forget a registration that is gone, the recognised agent alone when `hints` (name, client id, redirect URI) name one, else all.
 * @example staleClientFixes(['cursor://anysphere.cursor-mcp/oauth/callback'])
 */
export function staleClientFixes(hints: readonly string[]): { label: string; text: string }[] {
  const recognised = FIXES.filter(({ mark }) => hints.some((hint) => mark.test(hint)));
  const named = (recognised.length > 0 ? recognised : FIXES).map(({ label, key }) => ({ label, text: t(key) }));
  return [...named, { label: t('fix.other.label'), text: t('fix.other') }];
}
