/**
 * Two addresses laid over each other, character by character: for a person to see why one is not the other. Pure. Not here: how it looks (views/).
 */

/** A run of characters that both have, or that only this one has. */
export type Run = { text: string; same: boolean };
/** The two texts, each whole in its runs. */
export type Difference = { asked: Run[]; known: Run[] };

/** Longer addresses are compared and shown up to here. */
export const comparedLength = 300;

/**
 * The longest common subsequence of both, cut to 300 characters each.
 *
 *     differenceOf('/mcp/', '/mcp') // { asked: [{ text: '/mcp', same: true }, { text: '/', same: false }], known: [{ text: '/mcp', same: true }] }
 */
export function differenceOf(asked: string, known: string): Difference {
  const [left, right] = [asked.slice(0, comparedLength), known.slice(0, comparedLength)];
  const lengths = commonLengths(left, right);
  const at = (i: number, j: number) => lengths[i * (right.length + 1) + j] ?? 0;
  const difference: Difference = { asked: [], known: [] };
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      append(difference.asked, left[i++], true);
      append(difference.known, right[j++], true);
    } else if (j === right.length || (i < left.length && at(i + 1, j) >= at(i, j + 1))) append(difference.asked, left[i++], false);
    else append(difference.known, right[j++], false);
  }
  return difference;
}

/** More runs than these, or less in common, and it is not a slip but another address: marks would only confuse. */
const mostRuns = 7;
const leastCommon = 0.6;

/** The difference to the known address that was probably meant, if one is near enough. */
export function likelyMistake(asked: string, known: readonly string[]): Difference | undefined {
  const meant = closest(asked, known);
  if (meant === undefined) return undefined;
  const difference = differenceOf(asked, meant);
  const common = difference.asked.reduce((sum, { text, same }) => (same ? sum + text.length : sum), 0);
  const near = common >= leastCommon * Math.min(comparedLength, Math.max(asked.length, meant.length));
  return near && difference.asked.length <= mostRuns && difference.known.length <= mostRuns ? difference : undefined;
}

/** The known text that shares most with the one asked for, at its beginning and its end. */
function closest(asked: string, known: readonly string[]): string | undefined {
  const shared = (one: string) => sharedEnds(asked.slice(0, comparedLength), one.slice(0, comparedLength)) - Math.abs(asked.length - one.length);
  return [...known].sort((a, b) => shared(b) - shared(a))[0];
}

function sharedEnds(left: string, right: string): number {
  const shorter = Math.min(left.length, right.length);
  let head = 0;
  while (head < shorter && left[head] === right[head]) head++;
  let tail = 0;
  while (tail < shorter - head && left[left.length - 1 - tail] === right[right.length - 1 - tail]) tail++;
  return head + tail;
}

/** By start in both texts: how long what they have in common from there on is. */
function commonLengths(left: string, right: string): Uint16Array {
  const width = right.length + 1;
  const lengths = new Uint16Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      const [below, beside, across] = [lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0, lengths[(i + 1) * width + j + 1] ?? 0];
      lengths[i * width + j] = left[i] === right[j] ? across + 1 : Math.max(below, beside);
    }
  }
  return lengths;
}

function append(runs: Run[], character = '', same: boolean): void {
  const last = runs.at(-1);
  if (last?.same === same) last.text += character;
  else runs.push({ text: character, same });
}
