/**
 * Whether an instance secret could be guessed. It cannot be proven random; but what is short, repeats itself or was meant to be replaced is caught here. Pure.
 */

const placeholders =
  /change.?me|replace|example|your.?secret|my.?secret|insecure|default|password|placeholder|dev.?secret|test.?secret|mcp-test-secret|mcp-secret-12345|agent-secret-67890/i;
/** Bits that a text of 32 random letters and digits easily has, and a sentence or a pattern does not. */
const enoughBits = 90;

/** What is wrong with the secret, to go after "The secret"; undefined when nothing is. */
export function secretWeakness(secret: string): string | undefined {
  const bytes = Buffer.byteLength(secret);
  if (bytes < 32) return `is ${bytes} bytes long; it needs 32 random bytes or more`;
  if (placeholders.test(secret)) return 'reads like a placeholder';
  if (/^(.{1,16}?)\1+.{0,16}$/s.test(secret) || bitsOf(secret) < enoughBits) return 'repeats itself; it is not random';
  if (/(?:0123456789|abcdefghij|qwertyuiop)/i.test(secret)) return 'contains a sequence; it is not random';
  return undefined;
}

/** Shannon's entropy of the characters, times their number: an upper bound of what is in there. */
function bitsOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= count * Math.log2(count / text.length);
  return bits;
}
