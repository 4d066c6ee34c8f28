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
