/**
 * What a token still allows when its person has taken a part back since it was issued. Pure.
 */

/** The scope of a token without what was removed; the same text when nothing was. */
export function allowedNow(scope: string, removed: readonly string[] | undefined): string {
  if (!removed) return scope;
  return scope
    .split(' ')
    .filter((name) => !removed.includes(name))
    .join(' ');
}
