/**
 * The name somebody probably meant, for every place where a name was mistyped.
 */

/** The name somebody probably meant: the known one with the fewest changes, if it is near enough to be worth saying. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  const far = Math.max(2, Math.floor(given.length / 3));
  let best: { name: string; changes: number } | undefined;
  for (const name of known) {
    const changes = distance(given.slice(0, 100), name);
    if (changes <= far && (!best || changes < best.changes)) best = { name, changes };
  }
  return best?.name;
}

/** Levenshtein distance. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const changed = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}

/** `; did you mean …?`, or nothing when no known name is near. */
export function didYouMean(given: string, known: readonly string[]): string {
  const near = nearest(given, known);
  return near === undefined ? '' : `; did you mean ${near}?`;
}
