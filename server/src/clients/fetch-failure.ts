/**
 * Why a document could not be fetched, as a value: the caller decides by `kind` whether the last known good copy may stand in. Owned by this room because the room
 * reads it; runtimes throw it.
 */

/**
 * `refused`: the address is not one we connect to, nothing was sent. `transport`: no name, no connection, bad TLS, cut off. `timeout`: too slow.
 * `status`: an answer other than 200. `too-large`: more bytes than allowed. `encoding`: a content-encoding, which was asked not to be.
 */
export type FetchFailureKind = 'refused' | 'transport' | 'timeout' | 'status' | 'too-large' | 'encoding';

/** Thrown by a DocumentFetcher. `status` is set for the kind `status` only. */
export class FetchFailure extends Error {
  override name = 'FetchFailure';
  readonly kind: FetchFailureKind;
  readonly status: number | undefined;

  constructor(kind: FetchFailureKind, message: string, options: { status?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.status = options.status;
  }
}
