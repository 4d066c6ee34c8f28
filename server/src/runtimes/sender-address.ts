/** Whom mail is from, as the setting `mailFrom` says it. */
import { isEmailAddress } from '../rules/person.ts';

export type SenderAddress = { name?: string; address: string };

/** Reads `auth@example.com` or `Example <auth@example.com>`. @throws {TypeError} naming `mailFrom` and what it must be. */
export function senderAddress(from: string): SenderAddress {
  const named = /^([^<>"\p{C}]{1,60}?)\s*<([^<>]+)>$/u.exec(from.trim());
  const sender: SenderAddress = named ? { name: named[1], address: named[2] ?? '' } : { address: from.trim() };
  if (!isEmailAddress(sender.address)) throw new TypeError('"mailFrom" must be auth@example.com or Example <auth@example.com>');
  return sender;
}
