/**
 * Whether a name that an app chose for itself can be taken for another's: the same to the eye (a part of UTS #39: case, accents, digits for letters, Cyrillic and Greek
 * look-alikes, what cannot be seen, spacing), the same with words around it that anybody may use, or a slip of the finger away. Pure. It warns and never refuses.
 */

/** A name worth defending, and the hosts that may bear it; with none, only the app itself may. */
export type KnownName = { name: string; hosts: readonly string[] };

/** What an app says it is called, and the hosts that are shown to be its own. */
export type NameClaim = { name: string; hosts: readonly string[] };

/** Capitals that their own lower case does not look like. */
const capitals: Readonly<Record<string, string>> = { Β: 'b', В: 'b', Η: 'h', Н: 'h', Μ: 'm', М: 'm', Ν: 'n', Υ: 'y', У: 'y', Т: 't', К: 'k', Ѵ: 'v' };

/** What looks like a Latin letter, after lower case and NFKD. Pairs of letters that are read as one stand at the end. */
const lookAlikes: readonly (readonly [letter: string, likes: string])[] = [
  ['a', '4@аαɑᴀ'],
  ['b', '8βьвʙ'],
  ['c', 'сϲᴄ¢'],
  ['d', 'ԁᴅ'],
  ['e', '3еєεҽᴇ€'],
  ['g', 'ɡ9'],
  ['h', 'һнհʜ'],
  ['j', 'јյ'],
  ['k', 'кκᴋ'],
  // One stroke: l, i and 1 are told apart in few fonts, and I never.
  ['l', 'iіιı1|!ӏɩɪ'],
  ['m', 'мᴍ'],
  ['n', 'пηոɴ'],
  ['o', '0оοօσᴏ'],
  ['p', 'рρᴘ'],
  ['q', 'ԛ'],
  ['r', 'гʀ'],
  ['s', '5ѕ$ꜱ'],
  ['t', '7тτᴛ'],
  ['u', 'υսμᴜ'],
  ['v', 'νѵᴠ'],
  ['w', 'ԝωᴡ'],
  ['x', 'хχ×'],
  ['y', 'уγүʏ'],
  ['z', '2ᴢζ'],
];
const latin = new Map(lookAlikes.flatMap(([letter, likes]) => [...likes].map((like) => [like, letter] as const)));

/** More words than these are a sentence. */
const mostWords = 12;

/** Words that anybody may put around a name, and that make it nobody else's. */
const around = new Set(
  `account admin agent agents ai app apps assistant auth beta bot browser by cli client com connector desktop dev dot edition extension for from
  helper ide inc integration io latest login mcp mobile my new official oauth online our plugin plus portal preview pro real remote secure security server service services
  setup support sync team the tool tools trusted update verified verify web with your`
    .split(/\s+/)
    .map(letters),
);

/** The known name that this one can be taken for, unless a host of that name is the app's own; an equal one before a similar one. */
export function lookAlike(claim: NameClaim, known: readonly KnownName[]): KnownName | undefined {
  const claimed = cores(claim.name);
  if (claimed.length === 0) return undefined;
  const alike = known.flatMap((one) => {
    const distance = Math.min(...claimed.map((core) => distanceTo(core, letters(one.name))));
    return distance === Number.POSITIVE_INFINITY ? [] : [{ one, distance }];
  });
  // Makers give several apps similar names: whoever may bear one of them is nobody's impostor.
  if (alike.some(({ one }) => isOwn(claim, one))) return undefined;
  return alike.toSorted((two, other) => two.distance - other.distance)[0]?.one;
}

function isOwn({ hosts }: NameClaim, known: KnownName): boolean {
  return hosts.some((host) => known.hosts.some((own) => host === own || host.endsWith(`.${own}`)));
}

/** The letters of a name as an eye takes them, without spaces. @example letters('Сlаudе С0de') // 'claudecode' */
export function letters(name: string): string {
  return words(name).join('');
}

/** What may be meant as the name: all of it, what is left without the words around it, and without what stands in brackets behind it. */
function cores(name: string): string[] {
  const found = [name, name.replace(/[([{].*$/su, '')].flatMap((each) => spans(words(each).slice(0, mostWords)));
  return [...new Set(found)].filter((core) => core !== '' && !around.has(core));
}

/** Every run of words outside which there are only words that anybody may use, and all the others as one. */
function spans(all: readonly string[]): string[] {
  const first = all.findIndex((word) => !around.has(word));
  const last = all.findLastIndex((word) => !around.has(word));
  const starts = all.map((_, index) => index).filter((index) => first === -1 || index <= first);
  const runs = starts.flatMap((start) => all.map((_, end) => (end >= Math.max(start, last) ? all.slice(start, end + 1).join('') : '')));
  return [...runs, all.filter((word) => !around.has(word)).join('')];
}

function words(name: string): string[] {
  const visible = name.replace(/[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}]/gu, '');
  const capital = [...visible.normalize('NFC')].map((letter) => capitals[letter] ?? letter).join('');
  const folded = capital.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  // A number alone is a version, and no letters.
  return folded.split(/[^\p{L}\p{N}@$!|¢€×]+/u).flatMap((word) => (/^[\d@$!|]*$/.test(word) ? [] : [readAsLatin(word)]));
}

function readAsLatin(word: string): string {
  const read = [...word].map((letter) => latin.get(letter) ?? letter).join('');
  return read.replaceAll('rn', 'm').replaceAll('vv', 'w');
}

/** 0 for the same, the number of slips within what a name of this length bears, else infinite. */
function distanceTo(core: string, known: string): number {
  if (core === known) return 0;
  const borne = known.length < 6 ? 0 : known.length < 12 ? 1 : 2;
  if (borne === 0 || Math.abs(core.length - known.length) > borne) return Number.POSITIVE_INFINITY;
  const distance = slips(core, known);
  return distance <= borne ? distance : Number.POSITIVE_INFINITY;
}

/** Letters put in, left out, exchanged or swapped with their neighbour (optimal string alignment). */
function slips(one: string, two: string): number {
  const [from, to] = [[...one], [...two]];
  let [before, row]: [number[], number[]] = [[], Array.from({ length: to.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const steps = [at(row, j) + 1, at(next, j - 1) + 1, at(row, j - 1) + (same ? 0 : 1)];
      next.push(Math.min(...steps, ...(swapped ? [at(before, j - 2) + 1] : [])));
    }
    [before, row] = [row, next];
  }
  return at(row, to.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
