/**
 * Refuses options that do not exist: a misspelt one is no option, and what it was to demand would be demanded of nobody.
 */

/** Every name there is; as a record, so that the compiler sees that none is missing. */
export type Names<Options> = Readonly<Record<keyof Options, true>>;

/** @throws {TypeError} naming the first option that is none of `names`, and all that are. */
export function refuseUnknown(options: object, names: Readonly<Record<string, true>>): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(names, name));
  if (unknown !== undefined) throw new TypeError(`"${unknown}" is no option; there are ${Object.keys(names).join(', ')}`);
}
