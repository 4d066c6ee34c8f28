/**
 * Owns: text in letters that need no encoding. Alone among them, one other letter makes a whole English page one that takes five times as long to write.
 */
import { raw } from 'hono/html';
import type { Markup } from './words.ts';

/**
 * Returns `text` as markup, every letter beyond ASCII, and whatever HTML could read, as a reference.
 * @example inAscii('<é') // '&#60;&#233;'
 */
export function inAscii(text: string): Markup {
  return raw(text.replace(/[^\w ]/gu, (letter) => `&#${letter.codePointAt(0)};`));
}
