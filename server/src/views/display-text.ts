/**
 * Owns: making text that a stranger wrote safe to look at. Not owned: HTML escaping (the template does that) and length limits at registration.
 * Names come from client metadata (RFC 7591 §2, client ID metadata documents) and are chosen by whoever asks.
 */

const MAX_CODE_POINTS = 60;
/** One base letter with more marks than this is a stack that climbs over the lines around it. */
const MARK_PILE = /(\p{M}{2})\p{M}+/gu;
/** Nothing to strip or to join, as nearly all text is: what follows would find nothing in it. */
const PLAIN = /^[!-~]+(?: [!-~]+)*$/;
/** Control, format (bidi, zero width), surrogate, private, unassigned, ignorable, and the blank Braille cell. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/**
 * Strips what cannot be seen and collapses white space, without cutting. For addresses and identifiers, which must be shown whole.
 * @example visibleText('a\u202Eb') // 'ab'
 */
export function visibleText(value: string): string {
  if (PLAIN.test(value)) return value;
  const seen = value.normalize('NFC').replace(/\s/gu, ' ').replace(INVISIBLE, '');
  // Again, because letters and spaces that something invisible held apart are neighbours now.
  return seen.normalize('NFC').replace(/ +/g, ' ').replace(MARK_PILE, '$1').trim();
}

/**
 * Makes a self-chosen name fit to show: visible characters only, at most `max` code points, the last of them an ellipsis when cut.
 * May return the empty string; the caller says what stands in its place. Show it inside `<bdi>`.
 * @example displayText('Claude\u200B Code') // 'Claude Code'
 */
export function displayText(value: string, max: number = MAX_CODE_POINTS): string {
  const points = [...visibleText(value)];
  if (points.length <= max) return points.join('');
  return `${points
    .slice(0, max - 1)
    .join('')
    .trimEnd()}…`;
}

/** The scripts whose letters are taken for one another, and those that live together in one writing system (UTS 39 §5.2, highly restrictive). */
const SCRIPTS: readonly [name: string, pattern: RegExp][] = [
  ['latin', /\p{Script=Latin}/u],
  ['greek', /\p{Script=Greek}/u],
  ['cyrillic', /\p{Script=Cyrillic}/u],
  ['armenian', /\p{Script=Armenian}/u],
  ['cherokee', /\p{Script=Cherokee}/u],
  ['han', /\p{Script=Han}/u],
  ['kana', /[\p{Script=Hiragana}\p{Script=Katakana}]/u],
  ['hangul', /\p{Script=Hangul}/u],
  ['bopomofo', /\p{Script=Bopomofo}/u],
];
const WRITTEN_TOGETHER: readonly (readonly string[])[] = [
  ['latin', 'han', 'kana'],
  ['latin', 'han', 'hangul'],
  ['latin', 'han', 'bopomofo'],
];

/**
 * Says whether a name mixes alphabets that no writing system mixes, such as a Cyrillic letter in a Latin word.
 * @example hasMixedScripts('Сlaude') // true: the first letter is Cyrillic
 */
export function hasMixedScripts(value: string): boolean {
  const found = new Set<string>();
  for (const letter of visibleText(value).match(/\p{L}/gu) ?? []) {
    if (/[\p{Script=Common}\p{Script=Inherited}]/u.test(letter)) continue;
    found.add(SCRIPTS.find(([, pattern]) => pattern.test(letter))?.[0] ?? 'other');
  }
  if (found.size < 2) return false;
  return !WRITTEN_TOGETHER.some((together) => [...found].every((script) => together.includes(script)));
}
