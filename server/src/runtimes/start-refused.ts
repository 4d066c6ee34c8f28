/**
 * Why a server does not start, for the person who started it: what, why, and the exact fix (contracts §4). The command line prints the three; an embedder reads the message.
 */
export class StartRefused extends Error {
  override name = 'StartRefused';
  readonly why: string;
  readonly fix: string;

  constructor(what: string, { why, fix, cause }: { why: string; fix: string; cause?: unknown }) {
    super(what, { cause });
    this.why = why;
    this.fix = fix;
  }
}
