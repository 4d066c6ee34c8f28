/**
 * Reads the documents of the project into what can be checked: fenced blocks, inline code, links and headings. Not here: whether any of it is true.
 */
import { globSync, readFileSync } from 'node:fs';

export type Block = { language: string; text: string; line: number };
export type Document = { path: string; blocks: Block[]; spans: string[]; links: string[]; anchors: string[] };

export const root = new URL('../..', import.meta.url).pathname;

/** Every file of the project, as a path below `root`; what is installed, built or left by a run is not among them. */
export const files = globSync(['**/*', '.ci/*', '.gitignore', '.npmrc'], {
  cwd: root,
  exclude: (path) => /(^|\/)(node_modules|dist|out|coverage|test-results|\.auth-agent)$/.test(path),
});

export const documents: Document[] = files
  .filter((path) => path.endsWith('.md'))
  .sort()
  .map(readDocument);

function readDocument(path: string): Document {
  const text = readFileSync(`${root}${path}`, 'utf8');
  const fence = /^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm;
  const blocks = [...text.matchAll(fence)].map(({ 1: language = '', 2: code = '', index }) => ({ language, text: code, line: lineAt(text, index) }));
  const prose = text.replaceAll(fence, '');
  return {
    path,
    blocks,
    spans: [...prose.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replaceAll('\n', ' ')),
    links: [...prose.replaceAll(/`[^`]+`/g, 'code').matchAll(/\]\(([^)\s]+)\)|\b(?:src|srcset|href)="([^"]+)"/g)].map(
      ([, link, attribute]) => link ?? attribute ?? '',
    ),
    anchors: [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading)),
  };
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** The fragment that a repository host gives a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
