/**
 * Owns: how to make an agent forget a registration that is gone, per agent, and how to tell which agent it is. Pure. Not owned: telling that a registration is
 * gone (authorize/). What agents register with is recorded in clients/fixtures and docs/connect-clients.md.
 */
import type { MessageKey, Words } from './words.ts';

/** `name` is looked for in names and client ids, `place` in redirect URIs and in the User-Agent of browsers that a program brings along. */
type Fix = { label: string; name: RegExp; place: RegExp; key: MessageKey };

const FIXES: readonly Fix[] = [
  // The menu of /mcp; a server that came with a plugin has no such entry (anthropics/claude-code#84614), so the second way is said too.
  { label: 'Claude Code', name: /claude[ -]code/i, place: /^http:\/\/localhost:\d+\/callback$/, key: 'fix.claudeCode' },
  // Connectors of claude.ai, the desktop and the mobile app: one registration, kept by Anthropic.
  { label: 'Claude', name: /^claude$/i, place: /^https:\/\/claude\.(ai|com)\/api\/mcp\/auth_callback$/, key: 'fix.claude' },
  // Its README: everything it keeps is below ~/.mcp-auth. It registers as "MCP CLI Proxy" unless told otherwise.
  {
    label: 'mcp-remote',
    name: /mcp-remote|^mcp cli proxy/i,
    place: /^http:\/\/(localhost|127\.0\.0\.1):(?!627[46]\/)\d+\/oauth\/callback$/,
    key: 'fix.mcpRemote',
  },
  { label: 'Cursor', name: /cursor/i, place: /^cursor:|^https:\/\/www\.cursor\.com\/|\bCursor\/\d/, key: 'fix.cursor' },
  // The command of VS Code that lists and removes what was registered dynamically.
  {
    label: 'VS Code',
    name: /visual studio code|vs ?code/i,
    place: /^https:\/\/(insiders\.)?vscode\.dev\/redirect$|^http:\/\/127\.0\.0\.1(:\d+)?\/$|^vscode(-insiders)?:/,
    key: 'fix.vsCode',
  },
  // `codex mcp` has login and logout.
  { label: 'Codex', name: /codex/i, place: /^http:\/\/127\.0\.0\.1:\d+\/callback\/[\w-]+$/, key: 'fix.codex' },
  // `/mcp auth` registers anew each time no client id is configured.
  { label: 'Gemini CLI', name: /gemini/i, place: /^http:\/\/localhost:(?!627[46]\/)\d+\/oauth\/callback$/, key: 'fix.geminiCli' },
  { label: 'Zed', name: /^zed$|zed\.dev/i, place: /^http:\/\/127\.0\.0\.1:\d+\/callback$/, key: 'fix.zed' },
  // Its button "Clear OAuth State" (modelcontextprotocol/inspector#857).
  { label: 'MCP Inspector', name: /inspector/i, place: /^http:\/\/(localhost:6274|127\.0\.0\.1:6276)\/oauth\/callback/, key: 'fix.inspector' },
];

/** What is known of an agent whose registration is gone. All of it comes from the request or from a stranger's registration. */
export type StaleClient = { names: readonly string[]; places: readonly string[] };

/**
 * Returns how to make an agent forget a registration that is gone: of the agent whose name is known, else of all that come back to such a place, else of all.
 * @example staleClientFixes({ names: [], places: ['cursor://anysphere.cursor-mcp/oauth/callback'] }, wordsFor('en'))
 */
export function staleClientFixes({ names, places }: StaleClient, { t }: Words): { label: string; text: string }[] {
  const named = FIXES.filter(({ name }) => names.some((one) => name.test(one)));
  const placed = FIXES.filter(({ place }) => places.some((one) => place.test(one)));
  const fitting = [named, placed, FIXES].find((fixes) => fixes.length > 0) ?? [];
  return [...fitting.map(({ label, key }) => ({ label, text: t(key) })), { label: t('fix.other.label'), text: t('fix.other') }];
}
