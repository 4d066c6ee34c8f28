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
