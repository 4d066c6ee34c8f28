/**
 * Whether a sign-in is too old for something that wants the person themselves. Pure. Not here: what wants it (account/fresh-sign-in.ts), `max_age` of clients
 * (authorize/next-step.ts).
 */

/** True when more than `seconds` lie between the check of credentials and `at`; all in epoch seconds. */
export function needsFresh({ authTime }: { authTime: number }, seconds: number, at: number): boolean {
  return at - authTime > seconds;
}
