/**
 * Owns: keeping what is made for a language. A formatter of `Intl` takes a hundred times as long to make as to use. Handed our own tags only, so there are few.
 */

/**
 * Returns `make` with a memory.
 * @example const lists = byLanguage((language) => new Intl.ListFormat(language)); lists('en').format(['a', 'b']) // 'a and b'
 */
export function byLanguage<Made>(make: (language: string) => Made): (language: string) => Made {
  const made = new Map<string, Made>();
  return (language) => {
    let known = made.get(language);
    if (known === undefined) {
      known = make(language);
      made.set(language, known);
    }
    return known;
  };
}

/** Lists of names, such as "one, two, and three". */
export const listFormat = byLanguage((language) => new Intl.ListFormat(language));
