/**
 * An event stream outlives the judgement of the request that opened it. While one is open its token is asked about again, and the stream ends when the access did.
 * Not here: what a stream is made of (adapters/).
 */
import { maxCacheSeconds } from './token-cache.ts';
import { clockSkewSeconds } from './verify.ts';

/** A call that began under a good token may finish. Once a token has ended by its time nobody can say whether its grant still stands. */
const graceSeconds = 300;

/** The access under which a stream was opened. */
export interface WatchedAccess {
  /** Epoch seconds. */
  readonly expiresAt: number;
  now(): number;
  /** Whether the access stands, asked anew. An outage says nothing against it. Never rejects. */
  stands(): Promise<boolean>;
}

/** Whether a stream is one of events: only those stay open for longer than one answer takes. */
export function isEventStream(contentType: unknown): boolean {
  return /^\s*text\/event-stream\s*(;|$)/i.test(String(contentType));
}

/** Looks at the access every 30 seconds, and calls `end` once, when it has ended. Whoever's stream is over calls what is returned. */
export function watchStream(access: WatchedAccess, end: () => void): () => void {
  let over = false;
  let timer = later(look);

  async function look(): Promise<void> {
    const goesOn = await mayGoOn(access);
    if (over) return;
    if (goesOn) timer = later(look);
    else end();
  }

  return () => {
    over = true;
    clearTimeout(timer);
  };
}

/** Whether a stream may go on, looked at now. In the last moments of a token nobody is asked: the server may hold it for ended before we do. */
export async function mayGoOn({ expiresAt, now, stands }: WatchedAccess): Promise<boolean> {
  const time = now();
  return time < expiresAt - clockSkewSeconds ? stands() : time < expiresAt + graceSeconds;
}

/** A process that has nothing else to do may end: on Node the socket of the stream keeps it. */
function later(look: () => Promise<void>): ReturnType<typeof setTimeout> {
  const timer: ReturnType<typeof setTimeout> & { unref?(): unknown } = setTimeout(look, maxCacheSeconds * 1000);
  timer.unref?.();
  return timer;
}
