/**
 * How rows that wait in the database are handed over to whoever they are for: mail, logout tokens, webhooks. A row is claimed by one node until its next attempt, so any
 * number of nodes may relay at once. Not here: what is claimed and how it is sent, which is each outbox's own.
 */

/** One round at a time: whoever asks during one is answered by the next, because their row may have come after the last look. */
export type Relay = {
  /** Resolves to how many rows were tried in this caller's round, however many others ask for more. */
  run(): Promise<number>;
  /** Begins and goes on: nobody waits, and a failure is only reported. */
  soon(): void;
  /** Waits for what is being handed over: whoever closes the database first sends it twice. */
  idle(): Promise<void>;
  /** The same, and claims no more: what is left stays in the database for another node, or for the next start. */
  end(): Promise<void>;
};
/** Claims no more when it says false. */
export type GoesOn = () => boolean;

export type RelayOptions = {
  /** Is told of what nobody waits for, where a runtime would end it with the answer. */
  waitUntil?(work: Promise<unknown>): void;
  /**
   * Runs do not wait for one another. So it is where work ends with its request: one that waits for another's run is cut off, and a run that ended with its request would
   * never let the next begin.
   */
  apart?: boolean;
};

/** `round` claims and hands over once; `failed` hears why one that nobody waits for did not. */
export function relay(
  round: (goesOn: GoesOn) => Promise<number>,
  failed: (cause: unknown) => void,
  { waitUntil, apart = waitUntil !== undefined }: RelayOptions = {},
): Relay {
  let running: Promise<number> | undefined;
  let next: Promise<number> | undefined;
  let ended = false;
  const alone = new Set<Promise<number>>();
  const goesOn = () => !ended;
  const oneRound = async (): Promise<number> => {
    try {
      return await round(goesOn);
    } finally {
      // Here, and not when somebody hears of the end: who asks in between would be answered by a run that looks no more.
      running = undefined;
    }
  };
  const begin = (): Promise<number> => {
    next = undefined;
    if (ended) return Promise.resolve(0);
    running = oneRound();
    return running;
  };
  const runAlone = (): Promise<number> => {
    const own = round(goesOn);
    alone.add(own);
    const forget = () => alone.delete(own);
    own.then(forget, forget);
    return own;
  };
  const run = (): Promise<number> => {
    if (ended) return Promise.resolve(0);
    if (apart) return runAlone();
    if (next !== undefined) return next;
    if (running === undefined) return begin();
    next = running.then(begin, begin);
    return next;
  };
  const idle = async () => {
    await Promise.allSettled([running, next, ...alone]);
  };
  return {
    run,
    soon() {
      const running = run().catch(failed);
      waitUntil?.(running);
    },
    idle,
    end() {
      ended = true;
      return idle();
    },
  };
}

/** So that a flood does not hold the caller for ever; the rest is for the next time. */
const mostBatches = 40;

type Draining<Due> = { batch: number; goesOn: GoesOn; claim: (limit: number) => Promise<Due[]>; handOver: (due: Due[]) => Promise<unknown> };

/** Claims what is due batch by batch and hands it over, those of a batch at once. Resolves to how many rows were tried. */
export async function drain<Due>({ batch, goesOn, claim, handOver }: Draining<Due>): Promise<number> {
  let tried = 0;
  for (let count = 0; count < mostBatches && goesOn(); count++) {
    const due = await claim(batch);
    tried += due.length;
    await handOver(due);
    if (due.length < batch) break;
  }
  return tried;
}
