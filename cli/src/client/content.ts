/**
 * What MCP servers answer, as lines for a terminal: text of strangers without anything that moves a cursor.
 */
import { safe } from '../terminal.ts';

type Part = { type: string; text?: string; uri?: string; mimeType?: string };

/** The lines of a tool's answer; what is no text is named. */
export function contentLines(parts: readonly unknown[]): string[] {
  return parts.flatMap((part) => {
    const { type, text, uri, mimeType } = part as Part;
    if (text !== undefined) return safeLines(text);
    return [safe(`[${type ?? uri ?? 'data'}${mimeType === undefined ? '' : ` ${mimeType}`}]`)];
  });
}

/** Each line by itself: line ends stay, everything else that a terminal obeys does not. */
export function safeLines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => safe(line.replaceAll('\t', '  ')));
}
