/**
 * Why nobody came back from an upstream, as a value: what the page says follows from `kind`, what the log says from the cause. Nothing of what the upstream sent
 * is in it, so nothing of it can reach a page.
 */

/** `declined`: the person said no there. `unavailable`: no whole answer, or one that only a broken server gives. `invalid`: an answer that proves nothing. */
export type UpstreamFailureKind = 'declined' | 'unavailable' | 'invalid';

export class UpstreamFailure extends Error {
  override name = 'UpstreamFailure';
  readonly kind: UpstreamFailureKind;

  /** `reason` is for the log and never made from input. */
  constructor(kind: UpstreamFailureKind, reason: string, options: { cause?: unknown } = {}) {
    super(reason, options);
    this.kind = kind;
  }
}

/** An error and what caused it, the outermost first. */
export function causes(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let one = error; one instanceof Error && chain.length < 5; one = one.cause) chain.push(one);
  return chain;
}

export function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** For the log: names and codes of what caused a failure. Their texts may hold what the upstream sent. */
export function causesOf({ cause }: UpstreamFailure): string[] {
  return causes(cause).map((one) => [one.name, codeOf(one)].filter((part) => part !== undefined).join(' '));
}
