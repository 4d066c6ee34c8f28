/**
 * Why a server does not start, for the person who started it: what, why, and the exact fix (contracts §4). The command line prints the three; an embedder reads the message.
 */
export class StartRefused extends Error {
  override name = 'StartRefused';
  readonly why: string;
  readonly fix: string;
  /** `usage`: a setting is missing or has the wrong form; `policy`: it could be done but would not be safe; `conflict`: something else is in the way. */
  readonly kind: 'usage' | 'policy' | 'conflict';

  constructor(what: string, { why, fix, kind = 'policy', cause }: { why: string; fix: string; kind?: StartRefused['kind']; cause?: unknown }) {
    super(what, { cause });
    this.why = why;
    this.fix = fix;
    this.kind = kind;
  }
}
