/**
 * Names of agents that many people know, and the hosts their makers publish under. A name that is here proves nothing; it is what an impostor would choose. Kept by
 * hand from the makers' own sites. Whoever is missing is only not defended: consent says who publishes an app in any case.
 */
import type { KnownName } from './look-alike.ts';

/** The first host is the one a page names. */
export const knownAgents: readonly KnownName[] = [
  // claude.ai serves the app and its connectors, claude.com its product pages, anthropic.com is the company.
  { name: 'Claude', hosts: ['claude.ai', 'claude.com', 'anthropic.com'] },
  { name: 'Claude Code', hosts: ['claude.ai', 'claude.com', 'anthropic.com'] },
  // chatgpt.com serves the app and its connectors, openai.com is the company and documents Codex.
  { name: 'ChatGPT', hosts: ['chatgpt.com', 'openai.com'] },
  { name: 'OpenAI', hosts: ['openai.com', 'chatgpt.com'] },
  { name: 'Codex', hosts: ['openai.com', 'chatgpt.com'] },
  // cursor.com is the editor's site, anysphere.co its maker's.
  { name: 'Cursor', hosts: ['cursor.com', 'cursor.sh', 'anysphere.co'] },
  // code.visualstudio.com and vscode.dev are the editor's sites, and its sign-in returns to vscode.dev.
  { name: 'VS Code', hosts: ['vscode.dev', 'visualstudio.com', 'microsoft.com'] },
  { name: 'Visual Studio Code', hosts: ['vscode.dev', 'visualstudio.com', 'microsoft.com'] },
  // github.com/features/copilot; microsoft.com for the assistant of the same name. github.io is for everybody.
  { name: 'GitHub Copilot', hosts: ['github.com', 'githubcopilot.com'] },
  { name: 'Microsoft Copilot', hosts: ['microsoft.com'] },
  // gemini.google.com is the app, geminicli.com documents the command line.
  { name: 'Gemini', hosts: ['google.com', 'geminicli.com'] },
  // windsurf.com; codeium.com before it was renamed.
  { name: 'Windsurf', hosts: ['windsurf.com', 'codeium.com'] },
  { name: 'Perplexity', hosts: ['perplexity.ai'] },
  { name: 'Le Chat', hosts: ['mistral.ai'] },
  { name: 'Amazon Q', hosts: ['amazon.com', 'aws.dev'] },
  { name: 'JetBrains', hosts: ['jetbrains.com'] },
  { name: 'LM Studio', hosts: ['lmstudio.ai'] },
  { name: 'LibreChat', hosts: ['librechat.ai'] },
  { name: 'Raycast', hosts: ['raycast.com'] },
  { name: 'Zapier', hosts: ['zapier.com'] },
  { name: 'MCP Inspector', hosts: ['modelcontextprotocol.io'] },
];
