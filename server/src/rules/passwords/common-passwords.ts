/**
 * Whether a password is among those that are tried first: an offline filter made from passwords that were seen in breaches. Nothing leaves the process. The
 * filter says "yes" to each of them and to one or two in a thousand others, which costs a person another choice. Not here: the bits (assets/, made by tools/).
 */
import { type CommonPasswords, commonPasswords } from '#assets';
import { sha256 } from '../../crypto/hash.ts';

/** What the filter is compared by: compatibility forms folded, lower case. */
export function folded(password: string): string {
  return password.normalize('NFKC').toLowerCase();
}

/** The bits of an entry in a filter of `size` bits: `count` positions from two halves of a hash (Kirsch and Mitzenmacher). */
export function positions(entry: string, { size, count }: { size: number; count: number }): number[] {
  const digest = Buffer.from(sha256(entry), 'base64url');
  const [first, step] = [digest.readUIntBE(0, 6), digest.readUIntBE(6, 6)];
  return Array.from({ length: count }, (_, index) => (first + index * step) % size);
}

/** True for a common password, one with a few digits or signs around it, and one that only repeats something short or common. */
export async function isCommon(password: string): Promise<boolean> {
  const { filter, bits } = await loaded();
  const listed = (entry: string) => entry.length >= filter.shortest && positions(entry, filter).every((at) => ((bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0);
  const whole = folded(password);
  const unit = repeated(whole);
  return unit.length < filter.shortest || listed(whole) || listed(unit) || listed(withoutEdges(whole));
}

/** A failure is not kept: whoever comes next asks again. */
async function loaded(): Promise<Filter> {
  known ??= decoded(await commonPasswords());
  return known;
}
type Filter = { filter: CommonPasswords; bits: Buffer };
let known: Filter | undefined;

const decoded = (filter: CommonPasswords): Filter => ({ filter, bits: Buffer.from(filter.bits, 'base64') });

/** `abcabcabc` → `abc`; a text that repeats nothing is itself. */
function repeated(text: string): string {
  const period = (text + text).indexOf(text, 1);
  return text.slice(0, period);
}

/** `!password2024` → `password`: up to five digits and signs, which is what people add where they must. */
function withoutEdges(text: string): string {
  const core = /^[^\p{L}]*(.*?)[^\p{L}]*$/su.exec(text)?.[1] ?? '';
  return text.length - core.length <= 5 ? core : text;
}
