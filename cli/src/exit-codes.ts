/**
 * What a script may rely on: the exit codes, stable by semantic versioning, and the failure that carries one.
 */

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  signInNeeded: 3,
  notFound: 4,
  conflict: 5,
  refused: 6,
  unreachable: 7,
  timedOut: 8,
  checksFailed: 9,
  denied: 10,
  interrupted: 130,
} as const;
export type Exit = keyof typeof exitCodes;

/** Why a command did not do it: what, why, and the fix. Never holds a secret. */
export class Failure extends Error {
  override name = 'Failure';
  readonly exit: Exit;
  readonly why?: string;
  readonly fix?: string;

  constructor(exit: Exit, what: string, { why, fix, cause }: { why?: string; fix?: string; cause?: unknown } = {}) {
    super(what, { cause });
    this.exit = exit;
    this.why = why;
    this.fix = fix;
  }
}
