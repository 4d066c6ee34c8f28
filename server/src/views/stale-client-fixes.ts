/**
 * Owns: how to make an agent forget a registration that is gone, per agent. Pure. Not owned: telling that a registration is gone (authorize/).
 */
import type { Words } from './words.ts';

const FIXES = [
  { label: 'Claude Code', mark: /claude/i, key: 'fix.claudeCode' },
  { label: 'mcp-remote', mark: /mcp-remote|^http:.*\/oauth\/callback/i, key: 'fix.mcpRemote' },
  { label: 'Cursor', mark: /cursor/i, key: 'fix.cursor' },
  { label: 'VS Code', mark: /vs ?code/i, key: 'fix.vsCode' },
] as const;

/**
 * Returns how to make an agent forget a registration that is gone, the recognised agent alone when `hints` (name, client id, redirect URI) name one, else all.
 * @example staleClientFixes(['cursor://anysphere.cursor-mcp/oauth/callback'], wordsFor('en'))
 */
export function staleClientFixes(hints: readonly string[], { t }: Words): { label: string; text: string }[] {
  const recognised = FIXES.filter(({ mark }) => hints.some((hint) => mark.test(hint)));
  const named = (recognised.length > 0 ? recognised : FIXES).map(({ label, key }) => ({ label, text: t(key) }));
  return [...named, { label: t('fix.other.label'), text: t('fix.other') }];
}
