/**
 * The languages that pages come in, and the choice among them (RFC 4647 §3.4, lookup). Pure. Not here: the words (assets/messages/), what a request and
 * an account say about its person (page-frame.ts).
 */

export type Language = {
  /** BCP 47. */
  tag: string;
  /** In the language itself: a person who cannot read the page finds it. */
  name: string;
  dir: 'ltr' | 'rtl';
  /** `complete`: every message is translated, tests hold that. `offered`: people may choose it, and read in English what is missing. `begun`: nobody sees it. */
  state: 'complete' | 'offered' | 'begun';
};

export const languages: readonly Language[] = [
  { tag: 'en', name: 'English', dir: 'ltr', state: 'complete' },
  { tag: 'de', name: 'Deutsch', dir: 'ltr', state: 'complete' },
  { tag: 'es', name: 'Español', dir: 'ltr', state: 'complete' },
  { tag: 'fr', name: 'Français', dir: 'ltr', state: 'complete' },
  { tag: 'pt-BR', name: 'Português (Brasil)', dir: 'ltr', state: 'complete' },
  { tag: 'ar', name: 'العربية', dir: 'rtl', state: 'complete' },
  { tag: 'ja', name: '日本語', dir: 'ltr', state: 'complete' },
  { tag: 'zh-Hans', name: '简体中文', dir: 'ltr', state: 'complete' },
];

/** English made strange, to find words that cannot be translated and boxes that are too small. For tests and development. */
export const pseudoLanguages: readonly Language[] = [
  { tag: 'en-XA', name: 'Ƥşéüðö', dir: 'ltr', state: 'complete' },
  { tag: 'ar-XB', name: 'Pseudo, mirrored', dir: 'rtl', state: 'complete' },
];

/** The languages that everybody may choose, as an account page lists them. */
export const offeredLanguages: readonly Language[] = languages.filter(({ state }) => state !== 'begun');

/** More wishes than these are nobody's. */
const maxRanges = 20;
const maxHeader = 500;
const languageRange = /^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,7}$/;

/**
 * Picks the first language of `available` that meets a wish, the most wanted first: the tag itself, what is left of it without its last subtags, or the same
 * language in the same script. `undefined` when none does. Wishes that are no tags are passed over.
 * @example lookupLanguage(['pt-PT', 'en'], ['en', 'pt-BR']) // 'pt-BR'
 */
export function lookupLanguage(wishes: readonly string[], available: readonly string[]): string | undefined {
  if (available.length === 0) return undefined;
  for (const wish of wishes.slice(0, maxRanges)) {
    const found = languageRange.test(wish) ? (truncated(wish, available) ?? sameScript(wish, available)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** RFC 4647 §3.4: "the language range is progressively truncated from the end". A single letter goes together with what it introduces. */
function truncated(wish: string, available: readonly string[]): string | undefined {
  const subtags = wish.toLowerCase().split('-');
  while (subtags.length > 0) {
    const found = available.find((tag) => tag.toLowerCase() === subtags.join('-'));
    if (found !== undefined) return found;
    subtags.pop();
    if (subtags.at(-1)?.length === 1) subtags.pop();
  }
  return undefined;
}

/** `zh-CN` is written as `zh-Hans` is, `zh-TW` is not; `pt-PT` is better than another language. */
function sameScript(wish: string, available: readonly string[]): string | undefined {
  const wanted = likely(wish);
  return wanted && available.find((tag) => likely(tag) === wanted);
}

function likely(tag: string): string | undefined {
  try {
    const { language, script } = new Intl.Locale(tag).maximize();
    return `${language}-${script}`;
  } catch {
    return undefined;
  }
}

/** The wishes in an `Accept-Language` header, the most wanted first (RFC 9110 §12.5.4). What is not wanted (`q=0`) and `*` are left out. */
export function acceptedLanguages(header: string | null): string[] {
  const wishes = (header ?? '').slice(0, maxHeader).split(',', maxRanges).map(wishOf);
  return wishes
    .filter(({ tag, weight }) => weight > 0 && languageRange.test(tag))
    .sort((one, other) => other.weight - one.weight)
    .map(({ tag }) => tag);
}

function wishOf(text: string): { tag: string; weight: number } {
  const [tag = '', ...parameters] = text.split(';').map((part) => part.trim());
  const quality = parameters.find((parameter) => /^q=/i.test(parameter))?.slice(2) ?? '1';
  return { tag, weight: /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(quality) ? Number(quality) : 0 };
}
