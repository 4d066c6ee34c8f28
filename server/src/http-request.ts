/**
 * The part of a Request that the rooms use. A whole Request is one; a runtime may hand in its own thin view instead, which is what makes Node fast here.
 */
export type HttpRequest = {
  readonly method: string;
  /** Absolute. Its origin is whatever the client said: never make URLs from it. */
  readonly url: string;
  readonly headers: { get(name: string): string | null };
  /** Read once, by rules/read-body.ts. */
  readonly body: AsyncIterable<Uint8Array> | ReadableStream<Uint8Array> | null;
  text(): string | Promise<string>;
};

/** The caller stopped sending in the middle of a body, or was too slow. */
export class BodyCutOff extends Error {
  override name = 'BodyCutOff';
}
