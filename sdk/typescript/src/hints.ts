/**
 * Words for the developer when the fault is in the setup and callers only see 401 or 503. The same hint at most once a minute: callers must not be able to
 * flood a log. Values that came over the wire are quoted and cut.
 */

/** Receives one line for the developer. */
export type Log = (message: string) => void;

/** Says it in the log. `about`: of all messages about this one a minute, where anybody can choose what they say. */
export type Hint = (message: string, about?: string) => void;

const quietSeconds = 60;
const maxDistinctHints = 100;

/** Wraps a log so that repeats within a minute, and floods of different lines, are dropped. `now` in epoch seconds. */
export function createHints(log: Log, now: () => number): Hint {
  const said = new Map<string, number>();
  return function hint(message, about = message) {
    const time = now();
    for (const [text, at] of said) if (at + quietSeconds <= time) said.delete(text);
    if (said.has(about) || said.size >= maxDistinctHints) return;
    said.set(about, time);
    log(`auth-agent: ${message}`);
  };
}

/** Quotes a value from the wire for one line of a log: no control characters, at most 300 characters. */
export function quoteForLog(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').replace(/[^\x20-\x7E]/g, '?').slice(0, 300);
}
