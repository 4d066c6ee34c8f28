/**
 * Codes that people get by mail and type in: eight digits, shown as `1234 5678`. Pure. Not here: how often one may guess (storage/verbs/one-time-links.ts), who
 * may ask for one (account/mail-limits.ts).
 */

const digits = 8;

/** Eight digits from a MAC. 64 bits over 10^8 codes: no code is noticeably likelier than another. */
export function codeFromMac(mac: string): string {
  const number = Buffer.from(mac, 'base64url').readBigUInt64BE() % 10n ** BigInt(digits);
  return number.toString().padStart(digits, '0');
}

/** `12345678` as people read it: `1234 5678`. */
export function shownCode(code: string): string {
  return `${code.slice(0, digits / 2)} ${code.slice(digits / 2)}`;
}

/** What a person typed or pasted, without spaces and dashes and in full-width digits too. Undefined for what no code of ours can be. */
export function readCode(typed: string | undefined): string | undefined {
  const code = (typed ?? '').normalize('NFKC').replace(/[\s\p{Pd}.]/gu, '');
  return /^[0-9]{8}$/.test(code) ? code : undefined;
}
