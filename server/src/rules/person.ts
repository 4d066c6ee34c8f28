/**
 * What people may be called, wherever they are made: the setup page and the command line.
 */

/** 1 to 64 letters, digits, dots, dashes and underscores. Never `@`, so that nobody can take another's e-mail address as their name. */
export function isUsername(value: string): boolean {
  return /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u.test(value);
}

/** Something at some host; whether it is theirs only a mail can show. Nothing that a mail header could take for two addresses, a name or a comment. */
export function isEmailAddress(value: string): boolean {
  return value.length <= 254 && /^[^\s@<>"(),:;[\]\\\p{C}]+@[^\s@<>"(),:;[\]\\\p{C}]+$/u.test(value);
}

/** Whether two addresses are one: compared like those of accounts, by compatibility form and without case. */
export function isSameAddress(one: string, other: string): boolean {
  const key = (address: string) => address.normalize('NFKC').toLowerCase();
  return key(one) === key(other);
}

/**
 * A username for somebody who gave only an e-mail address: what stands before the `@`, as far as a username may hold it, and `suffix`. Strangers get a random one,
 * so that nobody can be called `admin` by having the mailbox, and nobody learns which names are taken.
 */
export function usernameFrom(email: string, suffix = ''): string {
  const local = (email.split('@')[0] ?? '').normalize('NFKC').replace(/[^\p{L}\p{N}._-]+/gu, '-');
  const start =
    local
      .replace(/^[._-]+/, '')
      .slice(0, 48)
      .replace(/[._-]+$/, '') || 'user';
  const name = suffix === '' ? start : `${start}-${suffix}`;
  return isUsername(name) ? name : `user-${suffix}`;
}

/** A full name: up to 100 characters on one line, without what turns text round. Joiners stay: some scripts need them. */
export function isDisplayName(value: string): boolean {
  return value.length <= 100 && !/[\p{Cc}\p{Zl}\p{Zp}\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/u.test(value);
}
